/** The Node object of a node whose pods are processes. */
export interface NodeFacts {
  readonly name: string;
  readonly address: string;
  readonly kubeletPort: number;
  readonly podCidr: string;
  readonly cpu: string;
  readonly memory: string;
}

const READY_SINCE = 'KubeletReady';

export function nodeConditions(since: string, now: string): unknown[] {
  const condition = (type: string, status: string, reason: string, message: string): unknown => ({
    ...{ type, status, reason, message },
    lastHeartbeatTime: now,
    lastTransitionTime: since,
  });
  return [
    condition(
      'MemoryPressure',
      'False',
      'KubeletHasSufficientMemory',
      'kubelet has sufficient memory available',
    ),
    condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
    condition(
      'PIDPressure',
      'False',
      'KubeletHasSufficientPID',
      'kubelet has sufficient PID available',
    ),
    condition('Ready', 'True', READY_SINCE, 'kubelet is posting ready status'),
  ];
}

export function nodeStatus(facts: NodeFacts, since: string, now: string): unknown {
  const resources = {
    cpu: facts.cpu,
    memory: facts.memory,
    pods: '110',
    'ephemeral-storage': '50Gi',
  };
  return {
    capacity: resources,
    allocatable: resources,
    addresses: [
      { type: 'InternalIP', address: facts.address },
      { type: 'Hostname', address: facts.name },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: facts.kubeletPort } },
    nodeInfo: {
      kubeletVersion: 'v1.36.3',
      kubeProxyVersion: '',
      containerRuntimeVersion: 'starr-lab://1',
      operatingSystem: 'linux',
      architecture: 'amd64',
      osImage: 'Starr lab: pods are processes',
      kernelVersion: '',
      machineID: facts.name,
      systemUUID: facts.name,
      bootID: facts.name,
    },
    conditions: nodeConditions(since, now),
  };
}

export function nodeObject(facts: NodeFacts, since: string): unknown {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: facts.name,
      labels: {
        'kubernetes.io/hostname': facts.name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
      },
    },
    spec: { podCIDR: facts.podCidr, podCIDRs: [facts.podCidr] },
    status: nodeStatus(facts, since, since),
  };
}

export function leaseObject(node: string, uid: string, now: string): unknown {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name: node,
      namespace: 'kube-node-lease',
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: node, uid }],
    },
    spec: { holderIdentity: node, leaseDurationSeconds: 40, renewTime: now },
  };
}
