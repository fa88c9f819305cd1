import pg from 'pg';

const DATABASE = 'orders';

const ROLES = `
DO $$ BEGIN
  CREATE ROLE checkout LOGIN;
EXCEPTION WHEN duplicate_object THEN NULL; END $$;
DO $$ BEGIN
  CREATE ROLE worker LOGIN;
EXCEPTION WHEN duplicate_object THEN NULL; END $$;
`;

const SCHEMA = `
CREATE TABLE IF NOT EXISTS customers (
  id bigint PRIMARY KEY,
  name text NOT NULL,
  email text NOT NULL UNIQUE
);
CREATE TABLE IF NOT EXISTS orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_id bigint NOT NULL REFERENCES customers,
  amount_cents bigint NOT NULL CHECK (amount_cents > 0),
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'paid')),
  payment_id text,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS orders_customer_id ON orders (customer_id);
CREATE TABLE IF NOT EXISTS receipts (
  order_id bigint PRIMARY KEY REFERENCES orders,
  written_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO customers (id, name, email)
  SELECT n, 'Customer ' || n, 'customer' || n || '@example.com' FROM generate_series(1, 1000) n
  ON CONFLICT DO NOTHING;
GRANT SELECT ON customers TO checkout, worker;
GRANT SELECT, INSERT, UPDATE ON orders TO checkout;
GRANT SELECT ON orders TO worker;
GRANT SELECT, INSERT ON receipts TO worker;
ANALYZE;
`;

/** Makes the database `orders`, the roles `checkout` and `worker`, the tables and a thousand customers. Repeatable. */
export async function setUp(adminUrl: string): Promise<void> {
  await withClient(adminUrl, async (client) => {
    await client.query(ROLES);
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [
      DATABASE,
    ]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  });
  const url = new URL(adminUrl);
  url.pathname = `/${DATABASE}`;
  await withClient(url.href, (client) => client.query(SCHEMA));
}

async function withClient(
  url: string,
  act: (client: pg.Client) => Promise<unknown>,
): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'shop-setup' });
  await client.connect();
  try {
    await act(client);
  } finally {
    await client.end();
  }
}
