import { describe, expect, it } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAuthority } from './certificates.ts';

describe('certificates of the lab', () => {
  it('are signed by their authority and by no other', () => {
    const authority = createAuthority('lab');
    const leaf = new X509Certificate(
      authority.issue({ commonName: 'someone', organizations: ['a', 'b'] }).certPem,
    );
    expect(leaf.verify(new X509Certificate(authority.certPem).publicKey)).toBe(true);
    expect(leaf.verify(new X509Certificate(createAuthority('lab').certPem).publicKey)).toBe(false);
    expect(leaf.subject.split('\n')).toEqual(['O=a', 'O=b', 'CN=someone']);
    expect(new X509Certificate(authority.certPem).ca).toBe(true);
    expect(leaf.ca).toBe(false);
  });

  it('carry a server and a client through a handshake in which each checks the other', async () => {
    const authority = createAuthority('lab');
    const server = authority.issue({ commonName: 'server', alternativeNames: ['IP:127.0.0.1'] });
    const client = authority.issue({ commonName: 'client' });
    const listening = createServer(
      { cert: server.certPem, key: server.keyPem, ca: authority.certPem, requestCert: true },
      (_, answer) => {
        answer.end(peer);
      },
    );
    let peer = '';
    listening.on('secureConnection', (socket) => {
      peer = String(socket.getPeerCertificate().subject.CN);
    });
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    const { port } = listening.address() as AddressInfo;
    const answer = await new Promise<string>((resolve, reject) => {
      request(
        {
          host: '127.0.0.1',
          port,
          ca: authority.certPem,
          cert: client.certPem,
          key: client.keyPem,
          agent: false,
        },
        (response) => {
          response.setEncoding('utf8').on('data', resolve);
        },
      )
        .on('error', reject)
        .end();
    });
    expect(answer).toBe('client');
    await new Promise((resolve) => listening.close(resolve));
  });
});
