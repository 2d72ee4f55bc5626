"""Those that Tocsin is measured beside."""

from bench.contestants.centrifuge import CENTRIFUGE
from bench.contestants.centrifugo import CENTRIFUGO
from bench.contestants.nchan import NCHAN
from bench.contestants.socket_io import PYTHON_SOCKETIO, SOCKET_IO
from bench.contestants.ws import WS

PEERS = (PYTHON_SOCKETIO, SOCKET_IO, WS, NCHAN, CENTRIFUGE, CENTRIFUGO)
