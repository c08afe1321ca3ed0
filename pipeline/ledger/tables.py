"""The tables of the ledger, and what each state means. Times are seconds since 1970 in UTC."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

batches = sa.Table(
    "batches",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    # short random name: in workbook row references, and in the names of its folders
    sa.Column("link", sa.String(16), nullable=False, unique=True),
    sa.Column("file_name", sa.Text, nullable=False),
    sa.Column("subfolder", sa.Text),
    sa.Column("feed", sa.Text),
    # claimed    in var/work; what is written of it so far nobody sees, and a crash here starts it from the beginning
    # delivering read and checked: every accepted record has its deliveries
    # closed     every delivery is final, the workbook is written, the original is in the archive
    # refused    could not be taken in as a whole: `reason` says why; original in the archive
    # duplicate  the same bytes came before under the same mapping: nothing was done again
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("received_at", sa.Float, nullable=False),
    sa.Column("closed_at", sa.Float),
    # where the original lies now, relative to the project folder
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("mapping_fingerprint", sa.String(64)),
    sa.Column("found", sa.JSON),
    sa.Column("header", sa.JSON),
    sa.Column("deliver", sa.JSON),
    sa.Column("on_change", sa.String(8)),
    sa.Column("notes", sa.JSON),
    sa.Column("rows_read", sa.Integer, nullable=False, default=0),
    sa.Column("rows_accepted", sa.Integer, nullable=False, default=0),
    sa.Column("rows_rejected", sa.Integer, nullable=False, default=0),
    sa.Column("rows_skipped", sa.Integer, nullable=False, default=0),
    sa.Column("reason_code", sa.String(64)),
    sa.Column("reason", sa.Text),
    sa.Column("advice", sa.Text),
    sa.Column("same_as", sa.Integer),
    # the workbook in errors/, relative to the project folder; the digest of the file as we wrote it (a person may have
    # worked in it since); and the digest of the problems it names (the same problems are not written twice)
    sa.Column("workbook", sa.Text),
    sa.Column("workbook_sha256", sa.String(64)),
    sa.Column("problems_digest", sa.String(64)),
    # for a returned workbook: the batch its rows came from
    sa.Column("corrects", sa.Integer),
    # when its personal data was blanked; what proves that it was sent stays
    sa.Column("purged_at", sa.Float),
)
sa.Index("batches_by_sha256", batches.c.sha256)
sa.Index("batches_by_state", batches.c.state)
# what a pass has to look at, without looking at all that is closed
# (the migrations build both alike on PostgreSQL; to say so here would load all of its drivers for everybody)
sa.Index("batches_with_workbook", batches.c.id, sqlite_where=sa.text("workbook IS NOT NULL"))
sa.Index("batches_not_put_away", batches.c.id, sqlite_where=sa.text("closed_at IS NULL"))

rejections = sa.Table(
    "rejections",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("batch_id", sa.ForeignKey("batches.id"), nullable=False),
    sa.Column("row", sa.Integer, nullable=False),
    sa.Column("column", sa.Text),
    sa.Column("field", sa.Text),
    sa.Column("value", sa.Text),
    sa.Column("code", sa.String(64), nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("advice", sa.Text, nullable=False),
    sa.Column("record_key", sa.Text),
    # the batch of the returned workbook that took this row over
    sa.Column("resolved_by", sa.Integer),
)
sa.Index("rejections_by_batch", rejections.c.batch_id, rejections.c.row)
sa.Index("rejections_by_key", rejections.c.record_key)

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("batch_id", sa.ForeignKey("batches.id"), nullable=False),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("operation", sa.String(32), nullable=False),
    sa.Column("record_key", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("record", sa.JSON, nullable=False),
    # see pipeline.model.DeliveryState for the states and their moves
    sa.Column("state", sa.String(16), nullable=False),
    # when to look at it next; NULL while only a person can move it on
    sa.Column("due_at", sa.Float),
    sa.Column("tries", sa.Integer, nullable=False, default=0),
    sa.Column("result", sa.JSON),
    sa.Column("remote_id", sa.Text),
    # why it is refused, in doubt or waiting: a list of {code, message, advice, field}
    sa.Column("problems", sa.JSON),
    sa.Column("resolved_by", sa.Integer),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("updated_at", sa.Float, nullable=False),
    sa.UniqueConstraint("batch_id", "account", "operation", "record_key", name="one_delivery_per_record_and_target"),
)
sa.Index("deliveries_by_key", deliveries.c.record_key, deliveries.c.account, deliveries.c.operation)
# The others hold only the few deliveries they are asked for: one that goes well the first time is in the first of them
# until it is done, and never in the others. A question finds them only where it says the same in its text (``stands``).
# What is still to do of an account, oldest first, without sorting what waits:
sa.Index(
    "deliveries_in_line", deliveries.c.account, deliveries.c.state, deliveries.c.id,
    sqlite_where=sa.text("state = 'waiting' OR state = 'in_doubt'"),
)  # fmt: skip
# what was put off, by when it is due; and what of a file waits for a person, or may
sa.Index(
    "deliveries_put_off", deliveries.c.account, deliveries.c.state, deliveries.c.due_at,
    sqlite_where=sa.text("due_at > created_at"),
)  # fmt: skip
sa.Index(
    "deliveries_unsettled", deliveries.c.batch_id, deliveries.c.state,
    sqlite_where=sa.text("state = 'refused' OR state = 'in_doubt'"),
)  # fmt: skip

# how many deliveries of a file stand in a state at an account; see ``tallies.py``
tallies = sa.Table(
    "tallies",
    metadata,
    sa.Column("batch_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("state", sa.String(16), primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
)

steps = sa.Table(
    "steps",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("delivery_id", sa.ForeignKey("deliveries.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    # intended  committed before the first byte; without an outcome it is in doubt
    # done      has its outcome; never run again
    # open      proved not done (refused connection, told to wait, seen to be absent): may be sent
    # refused   the target will not take it
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("request", sa.JSON, nullable=False),
    sa.Column("result", sa.JSON),
    sa.Column("sends", sa.Integer, nullable=False, default=0),
    # when bytes may last have left; an absence is believed only a settle time later
    sa.Column("doubt_since", sa.Float),
    sa.Column("last_look", sa.Text),
    sa.Column("search_hint", sa.Text),
    # what the step makes for more than one record: an unanswered one holds up the others of that name
    sa.Column("shares", sa.Text),
    # its first send, as ``attempts`` has those after it; as a rule there is no other
    sa.Column("sent_at", sa.Float),
    sa.Column("ended_at", sa.Float),
    sa.Column("outcome", sa.String(16)),
    sa.Column("code", sa.String(64)),
    sa.Column("message", sa.Text),
    sa.UniqueConstraint("delivery_id", "name", name="one_step_per_name"),
)

# calls without an outcome, by what they share with others: as few as there are doubts, and calls under way
sa.Index("steps_intended", steps.c.shares, sqlite_where=sa.text("state = 'intended'"))

# the further sends of a step; an older orderdrop wrote the first one here, too
attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("step_id", sa.ForeignKey("steps.id"), nullable=False),
    sa.Column("sent_at", sa.Float, nullable=False),
    sa.Column("ended_at", sa.Float),
    # done, already_there, refused, later, in_doubt, paused; NULL when the process died before the answer
    sa.Column("outcome", sa.String(16)),
    sa.Column("code", sa.String(64)),
    sa.Column("message", sa.Text),
)
sa.Index("attempts_by_step", attempts.c.step_id)

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("paused_code", sa.String(64)),
    sa.Column("paused_message", sa.Text),
    sa.Column("paused_at", sa.Float),
)

pickups = sa.Table(
    "pickups",
    metadata,
    sa.Column("pickup", sa.Text, primary_key=True),
    # when it last ended well or, before that, when it was first seen: what was due since then has been missed
    sa.Column("done_at", sa.Float, nullable=False),
    # why it went wrong the last time; NULL after one that ended well
    sa.Column("problem", sa.Text),
)

fetched = sa.Table(
    "fetched",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("pickup", sa.Text, nullable=False),
    # as on the server; bytes that are no text are written \xNN
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("mtime", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("fetched_at", sa.Float, nullable=False),
    # the name it was given in the inbox; NULL when the same content had come from there before
    sa.Column("file_name", sa.Text),
)
sa.Index("fetched_by_path", fetched.c.pickup, fetched.c.path)
sa.Index("fetched_by_time", fetched.c.pickup, fetched.c.fetched_at)

# What people have to know, one row per channel, until it is settled and that was told too.
alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("channel", sa.Text, nullable=False),
    # the kind of event and what it is about: a file's link, an account, a pickup …
    sa.Column("event", sa.String(32), nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    # changes when there is more to know about the same thing; and what it was when it was told
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("headline", sa.Text, nullable=False),
    sa.Column("first_at", sa.Float, nullable=False),
    sa.Column("told_at", sa.Float),
    sa.Column("told_version", sa.Text),
    sa.Column("times", sa.Integer, nullable=False, default=0),
    # committed before a message leaves; still there after a crash, it counts as told: nothing is told twice
    sa.Column("sending_at", sa.Float),
    sa.Column("settled_at", sa.Float),
    sa.UniqueConstraint("channel", "event", "subject", name="one_alert_per_channel_and_subject"),
)

channels = sa.Table(
    "channels",
    metadata,
    sa.Column("channel", sa.Text, primary_key=True),
    # failed sendings in a row, when to try again, and why the last one failed
    sa.Column("failures", sa.Integer, nullable=False, default=0),
    sa.Column("next_try_at", sa.Float),
    sa.Column("told_at", sa.Float),
    sa.Column("problem", sa.Text),
)

# A backup was put back: what was sent since it was made is not known here, see ``delivery.caution``.
restores = sa.Table(
    "restores",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("restored_at", sa.Float, nullable=False),
    # deliveries up to this one were in the backup
    sa.Column("last_delivery", sa.BigInteger, nullable=False),
    # SHA-256 of the files that were taken in after the backup was made: their orders may have been sent
    sa.Column("files", sa.JSON, nullable=False),
    # a person said that all is known again
    sa.Column("done_at", sa.Float),
)

# When something was first seen, or last done.
moments = sa.Table(
    "moments", metadata, sa.Column("name", sa.Text, primary_key=True), sa.Column("at", sa.Float, nullable=False)
)

# What the last scheduled comparison with each target's own lists found.
comparisons = sa.Table(
    "comparisons",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("compared_at", sa.Float, nullable=False),
    sa.Column("missing", sa.Integer, nullable=False),
    sa.Column("extra", sa.Integer, nullable=False),
    sa.Column("differing", sa.Integer, nullable=False),
    sa.Column("unreadable", sa.Boolean, nullable=False),
    # of what was found: the same differences are not told again as news
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("workbook", sa.Text),
)


def stands(table: sa.FromClause, *states: str) -> sa.ColumnElement[bool]:
    """Whether a delivery, or a step, is in one of these states, written out in the text of the question.

    Only so does a database see that an index of just these states has the answer.
    """
    return sa.or_(*(table.c.state == sa.literal_column(f"'{state}'") for state in states))


def taken_in(table: sa.FromClause) -> sa.ColumnElement[bool]:
    """Of deliveries or rejections: only those of files that are in the ledger as a whole.

    A long file is written portion by portion while its batch is ``claimed``; until it is whole nobody may see a part.
    """
    part_of: sa.ColumnElement[int] = table.c.batch_id
    return part_of.not_in(sa.select(batches.c.id).where(batches.c.state == "claimed"))
