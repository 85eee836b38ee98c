import http.server

import greet

from . import version


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = greet.greeting(f"python {version.version}").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


print("listening")
http.server.HTTPServer(("", 8080), Handler).serve_forever()
