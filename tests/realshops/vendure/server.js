// A real Vendure with one product, for tests/realshops/test_vendure.py. Started with its packages on NODE_PATH, a database and
// a port in the environment. MODE_FILE holds how the payment provider answers a refund: settled, pending, failed or trouble.
process.env.VENDURE_DISABLE_TELEMETRY = 'true';
const { readFileSync } = require('fs');
const path = require('path');
const core = require('@vendure/core');
const { populate } = require('@vendure/core/cli');

const till = new core.PaymentMethodHandler({
  code: 'till',
  description: [{ languageCode: core.LanguageCode.en, value: 'A provider that does as MODE_FILE says.' }],
  args: {},
  createPayment: (ctx, order, amount) => ({ amount, state: 'Settled', transactionId: `t-${order.code}` }),
  settlePayment: () => ({ success: true }),
  createRefund: (ctx, input, amount) => {
    const mode = readFileSync(process.env.MODE_FILE, 'utf8').trim();
    if (mode === 'trouble') throw new Error('The provider does not answer.');
    const state = { settled: 'Settled', pending: 'Pending', failed: 'Failed' }[mode];
    return { state, transactionId: `r-${amount}` };
  },
});

const config = {
  apiOptions: { hostname: '127.0.0.1', port: Number(process.env.PORT), adminApiPath: 'admin-api', shopApiPath: 'shop-api' },
  authOptions: {
    tokenMethod: ['bearer', 'api-key'],
    superadminCredentials: { identifier: 'hana', password: process.env.HANA_PASSWORD },
    requireVerification: false,
    cookieOptions: { secret: 'only-for-tests' },
  },
  dbConnectionOptions: {
    type: 'postgres',
    host: process.env.PGHOST,
    port: Number(process.env.PGPORT || 5432),
    username: process.env.PGUSER,
    password: process.env.PGPASSWORD || undefined,
    database: process.env.PGDATABASE,
    synchronize: true,
    logging: false,
  },
  paymentOptions: { paymentMethodHandlers: [till] },
  importExportOptions: { importAssetsDir: __dirname },
  logger: new core.DefaultLogger({ level: core.LogLevel.Warn }),
  plugins: [],
};

const world = {
  defaultLanguage: core.LanguageCode.en,
  defaultZone: 'Asia',
  countries: [{ name: 'Korea', code: 'KR', zone: 'Asia' }],
  taxRates: [{ name: 'Standard Tax', percentage: 0 }],
  shippingMethods: [{ name: 'Parcel', price: 300 }],
  paymentMethods: [{ name: 'till', handler: { code: 'till', arguments: [] } }],
  collections: [],
};

populate(() => core.bootstrap(config), world, path.join(__dirname, 'products.csv'))
  .then(() => console.log('READY'))
  .catch((trouble) => {
    console.error(trouble);
    process.exit(1);
  });
process.stdin.on('end', () => process.exit(0)).resume(); // the test that started us is gone
