// The sync engine as its README sets it up: one pool of ten connections, a raw body, processWebhook, then 2xx.
// CommonJS, because the package's migrations are not found from its ES module.
const http = require('node:http')
const { StripeSync, runMigrations } = require('@supabase/stripe-sync-engine')

async function main() {
  const databaseUrl = process.env.BENCH_DATABASE_URL
  await runMigrations({ databaseUrl, schema: 'stripe' })
  const sync = new StripeSync({
    poolConfig: { connectionString: databaseUrl, max: 10 },
    stripeSecretKey: 'sk_test_benchmark',
    stripeWebhookSecret: process.env.BENCH_SECRET,
  })
  const server = http.createServer((request, response) => {
    const chunks = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', async () => {
      try {
        await sync.processWebhook(Buffer.concat(chunks), request.headers['stripe-signature'])
        response.writeHead(200, { 'content-length': 17 }).end('{"received":true}')
      } catch (error) {
        console.error(error.message)
        response.writeHead(400, { 'content-length': 0 }).end()
      }
    })
  })
  server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))
}

main()
