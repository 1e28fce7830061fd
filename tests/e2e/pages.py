"""A web server for guests, on this machine."""

import hashlib
import http.server
import random
import threading


class Pages:
    """Serves one file of so many bytes; the same ones each time."""

    def __init__(self, size):
        body = random.Random(size).randbytes(size)
        self.md5 = hashlib.md5(body).hexdigest()

        class Handler(http.server.BaseHTTPRequestHandler):
            """Answers every path."""

            def do_GET(self):  # noqa: N802
                """The file."""
                self.send_response(200)
                self.send_header('Content-Length', str(size))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:  # Who asked has gone.
                    pass

            def log_message(self, *_):
                """Nothing."""

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        # As QEMU's user network shows this machine to a guest.
        self.url = f'http://10.0.2.2:{self.server.server_port}/'

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
