"""One face for the Python clients, as thin as it can be: what a test asks of each of them in the same words.

A client offers `produce`, `read`, `member`, `commit` and `committed`; what only one of them has is called in its own tests.
"""

from clients.aio import AioKafka
from clients.confluent import Confluent
from clients.pure import KafkaPython

CLIENTS = {client.name: client for client in (KafkaPython, AioKafka, Confluent)}
