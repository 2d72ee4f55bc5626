"""Statements about persons, by pseudonym."""

from sqlalchemy import select

from tocsin.adapters.sql.differences import Greatest, upsert
from tocsin.adapters.sql.parts import at_most, param
from tocsin.adapters.sql.schema import revocations

valid_from = select(revocations.c.valid_from_us).where(
    revocations.c.pseudonym == param("pseudonym")
)
revoked = at_most(select(revocations.c.pseudonym, revocations.c.valid_from_us))
_revoke = upsert(revocations)
revoke_tokens = _revoke.on_conflict_do_update(
    index_elements=["pseudonym"],
    set_={
        "valid_from_us": Greatest(
            _revoke.excluded.valid_from_us, revocations.c.valid_from_us + param("step")
        )
    },
).returning(revocations.c.valid_from_us)
