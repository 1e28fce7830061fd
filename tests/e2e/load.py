"""What a Debian guest does while its driver domains die: fio writes and verifies its disks, and a
TCP stream runs each way. The guest fetches its script from this machine and posts reports here; the
answer to a report of fio says whether there is to be another pass."""

import hashlib
import http.server
import json
import random
import re
import threading

from machine import Failure, equal

# One pass writes every block of both disks once, in random order, and reads all of it back. The
# disks are zeroed before, or fio would take what an earlier pass left for its own.
JOB = '''[global]
ioengine=libaio
direct=1
rw=randwrite
bssplit=4k/40:16k/20:64k/20:256k/10:1m/10
iodepth=32
fsync=32
verify=crc32c
verify_fatal=1
verify_state_save=0
thread
[nvme]
filename=/dev/xvdb
[virtio]
filename=/dev/xvdc
'''

SCRIPT = r'''#!/bin/bash
set -u
web=http://10.0.2.2:PORT

post()
{
    wget -q -O - --tries=1 --post-file="$1" "$web/$1"
}

disks()
{
    local pass=0 answer=again

    while [ "$answer" = again ]; do
        pass=$((pass + 1))
        rm -f report
        blkdiscard -z -f /dev/xvdb && blkdiscard -z -f /dev/xvdc &&
            fio --eta=never --randseed="$pass" --output-format=json --output=report job
        { echo "$?"; cat report; } >"fio-$pass"
        answer=$(post "fio-$pass")
    done
    touch stop
}

down()
{
    wget -q -O - --tries=1 "$web/stream" | md5sum >sum
    echo "${PIPESTATUS[0]} $(cat sum)" >down
}

up()
{
    local count=0

    exec 3<>/dev/tcp/10.0.2.2/PORT
    printf 'POST /sink HTTP/1.0\r\n\r\n' >&3
    while [ ! -e stop ] && cat data >&3; do
        count=$((count + 1))
    done
    exec 3>&-
    echo "$count" >up
}

# All disks, the root's too, are asked all the time: one that stalls is noticed.
ask()
{
    while [ ! -e stop ]; do
        for disk in xvda xvdb xvdc; do
            dd if=/dev/$disk of=/dev/null bs=4k count=1 iflag=direct status=none || return
        done
        sleep 1
    done
}

mkdir /run/load
cd /run/load
wget -q -O job --tries=1 "$web/job"
wget -q -O data --tries=1 "$web/data"
dmesg -C
cat /proc/net/snmp >before
echo 'load: begins'
down & up & ask & disks
wait
cat /proc/net/snmp >after
dmesg >kernel
for report in before after down up kernel; do
    post "$report" >/dev/null
done
echo 'load: ends'
'''
# What a guest's kernel says when something of its devices went.
NOTICED = (r'blkfront|xvd|xen_netfront|vif|I/O error|vbd|Setting capacity|enX|EXT4|JBD2|hung|'
           r'blocked for|Call Trace|BUG|WARN')


class Load:
    """The guest's other end: what it fetches, what it streams, what it reported."""

    def __init__(self):
        self.data = random.Random(1).randbytes(1 << 20)
        self.over = threading.Event()
        self.reports = {}
        self.sent = hashlib.md5()
        self.sent_count = self.received = 0
        self.wrong = []
        load = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """Pages are what the guest needs; what it posts is kept by its path."""

            def do_GET(self):  # noqa: N802
                """A file, or the stream."""
                self.send_response(200)
                self.end_headers()
                if self.path == '/stream':
                    load.send(self.wfile)
                else:
                    self.wfile.write(load.pages()[self.path])

            def do_POST(self):  # noqa: N802
                """A report, or the other stream, which has no answer."""
                if self.path == '/sink':
                    load.receive(self.rfile)
                    return
                length = int(self.headers['Content-Length'])
                load.reports[self.path[1:]] = self.rfile.read(length).decode()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b'stop' if load.over.is_set() else b'again')

            def log_message(self, *_):
                """Nothing."""

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        self.url = f'http://10.0.2.2:{self.server.server_port}'

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()

    def pages(self):
        """What the guest may fetch."""
        script = SCRIPT.replace('PORT', str(self.server.server_port))
        return {'/script': script.encode(), '/job': JOB.encode(), '/data': self.data}

    def send(self, to):
        """The stream to the guest, until all is over; each piece is another."""
        try:
            while not self.over.is_set():
                piece = self.sent_count.to_bytes(8, 'little') + self.data
                to.write(piece)
                self.sent.update(piece)
                self.sent_count += 1
        except OSError as error:
            self.wrong.append(f'the stream to the guest: {error}')

    def receive(self, source):
        """The stream from the guest, to its end: the same data again and again."""
        try:
            while piece := source.read(len(self.data)):
                if piece != self.data:
                    raise OSError(f'piece {self.received} is not what was sent')
                self.received += 1
        except OSError as error:
            self.wrong.append(f'the stream from the guest: {error}')

    def check_disks(self):
        """No pass had an error, and each read back what it wrote; how many, and MiB written."""
        passes = [text for name, text in self.reports.items() if name.startswith('fio-')]
        mib = 0
        for text in passes:
            status, _, rest = text.partition('\n')
            equal(status, '0', f'the status of fio, which said {rest!r},')
            for job in json.loads(rest[rest.index('{'):rest.rindex('}') + 1])['jobs']:
                equal(job['error'], 0, f'the error of {job["jobname"]}')
                wrote, read = job['write']['io_bytes'], job['read']['io_bytes']
                equal(read, wrote, f'how much {job["jobname"]} read back')
                mib += wrote >> 20
        return len(passes), mib

    def check_streams(self):
        """Every byte arrived, by one connection each way; how many segments were sent again."""
        equal(self.wrong, [], 'what went wrong with the streams')
        equal(self.reports['down'].split(), ['0', self.sent.hexdigest(), '-'], 'the stream down')
        equal(int(self.reports['up']), self.received, 'pieces of the stream up')
        before, after = (tcp_counters(self.reports[when]) for when in ('before', 'after'))
        for counter in 'EstabResets', 'OutRsts', 'AttemptFails':
            equal(after[counter], before[counter], f'the guest\'s counter {counter}')
        return after['RetransSegs'] - before['RetransSegs']

    def check(self):
        """Fails unless nothing was noticed; what was done, in words."""
        passes, mib = self.check_disks()
        again = self.check_streams()
        if re.search(NOTICED, self.reports['kernel']):
            raise Failure(f'the guest noticed: {self.reports["kernel"]}')
        return (f'{passes} passes of fio, {mib} MiB written and verified; {self.sent_count} MiB '
                f'received by TCP and {self.received} MiB sent, {again} segments again')


def tcp_counters(text):
    """The rows of TCP in /proc/net/snmp."""
    names, values = re.findall(r'^Tcp: (.*)$', text, re.MULTILINE)
    return dict(zip(names.split(), map(int, values.split())))
