"""SQLAlchemy's PostgreSQL through libpq, as much of it as Optuna needs, for a Python without psycopg2.

`register` makes it the driver of postgresql+libpq:// addresses.
"""

import ctypes
import ctypes.util
import datetime
import re
import sys

from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.base import PGDialect

# What PEP 249 asks of a module.
apilevel, threadsafety, paramstyle = "2.0", 1, "pyformat"


class Error(Exception):
    pass


class DatabaseError(Error):
    pass


class IntegrityError(DatabaseError):
    pass


InterfaceError = InternalError = OperationalError = ProgrammingError = DataError = NotSupportedError = DatabaseError

READERS = {
    16: lambda text: text == "t",
    **dict.fromkeys((20, 21, 23, 26), int),
    **dict.fromkeys((700, 701), float),
    1114: lambda text: datetime.datetime.fromisoformat(text.ljust(26, "0") if "." in text else text),
}
COMMANDS, ROWS = 1, 2  # PGRES_COMMAND_OK, PGRES_TUPLES_OK


def load():
    library = ctypes.CDLL(ctypes.util.find_library("pq"))
    for name in ("PQconnectdb", "PQexecParams"):
        getattr(library, name).restype = ctypes.c_void_p
    for name in ("PQgetvalue", "PQfname", "PQcmdTuples", "PQerrorMessage", "PQresultErrorField"):
        getattr(library, name).restype = ctypes.c_char_p
    return library


class Connection:
    def __init__(self, address):
        self.library = load()
        self.handle = ctypes.c_void_p(self.library.PQconnectdb(address.encode()))
        if self.library.PQstatus(self.handle) != 0:
            raise OperationalError(self.library.PQerrorMessage(self.handle).decode())
        self.is_inside = False

    def run(self, sql, values=()):
        texts = [None if value is None else str(value).encode() for value in values]
        result = ctypes.c_void_p(self.library.PQexecParams(
            self.handle, sql.encode(), len(texts), None, (ctypes.c_char_p * len(texts))(*texts), None, None, 0))
        if self.library.PQresultStatus(result) not in (COMMANDS, ROWS):
            state = (self.library.PQresultErrorField(result, ord("C")) or b"").decode()
            words = self.library.PQerrorMessage(self.handle).decode()
            self.library.PQclear(result)
            raise (IntegrityError if state.startswith("23") else DatabaseError)(f"{words}\n{sql}")
        return result

    def end(self, word):
        if self.is_inside:
            self.library.PQclear(self.run(word))
        self.is_inside = False

    def cursor(self):
        return Cursor(self)

    def commit(self):
        self.end("commit")

    def rollback(self):
        self.end("rollback")

    def close(self):
        self.library.PQfinish(self.handle)


class Cursor:
    arraysize, description, rowcount = 1, None, -1

    def __init__(self, connection):
        self.connection, self.rows = connection, iter(())

    def execute(self, sql, parameters=None):
        names = []

        def numbered(match):
            names.append(match[1])
            return f"${len(names)}"

        if parameters:
            sql = re.sub(r"%\((\w+)\)s", numbered, sql)
        if not self.connection.is_inside:
            self.connection.library.PQclear(self.connection.run("begin"))
            self.connection.is_inside = True
        self.read(self.connection.run(sql.replace("%%", "%"), [parameters[name] for name in names]))

    def executemany(self, sql, rows):
        for row in rows:
            self.execute(sql, row)

    def read(self, result):
        library, columns = self.connection.library, self.connection.library.PQnfields(result)
        types = [library.PQftype(result, column) for column in range(columns)]
        self.description = [(library.PQfname(result, column).decode(), types[column], *[None] * 5)
                            for column in range(columns)] or None

        def cell(row, column):
            if library.PQgetisnull(result, row, column):
                return None
            return READERS.get(types[column], str)(library.PQgetvalue(result, row, column).decode())

        rows = [tuple(cell(row, column) for column in range(columns)) for row in range(library.PQntuples(result))]
        changed = library.PQcmdTuples(result).decode()
        self.rowcount, self.rows = int(changed) if changed else -1, iter(rows)
        library.PQclear(result)

    def fetchone(self):
        return next(self.rows, None)

    def fetchmany(self, size=1):
        return [row for _, row in zip(range(size), self.rows)]

    def fetchall(self):
        return list(self.rows)

    def close(self):
        self.rows = iter(())


def connect(address):
    return Connection(address)


class Dialect(PGDialect):
    driver = "libpq"
    supports_statement_cache = True

    @classmethod
    def dbapi(cls):
        return sys.modules[__name__]

    def create_connect_args(self, url):
        return [url.set(drivername="postgresql").render_as_string(hide_password=False)], {}


def register():
    registry.register("postgresql.libpq", __name__, "Dialect")
