const http = require('http');
const { greeting } = require('greet');

http.createServer((request, response) => response.end(greeting('node')))
  .listen(process.env.PORT, () => console.log('listening'));
process.on('SIGTERM', () => process.exit(0));
