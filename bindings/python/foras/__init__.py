"""A phone of Foras, for tests and scripts.

The generated module lies beside this file once `cargo xtask bindings` has run; see target/bindings/python.
"""

from .foras_ffi import (
    AudienceStatus,
    Author,
    Change,
    ChangeObserver,
    ConsentSaid,
    Delivery,
    Failure,
    Field,
    FieldValue,
    ForasError,
    ForasPhone,
    GivenConsent,
    HandoverStep,
    NewSession,
    Observation,
    ObserverError,
    PeoplePage,
    PersonRow,
    Query,
    Record,
    RecordPage,
    Registered,
    Registration,
    Setting,
    Status,
    SyncReport,
    WrittenValue,
    version,
)


def settings(**fields):
    """Settings by name. A list, tuple or set gives one field several values; None clears it."""
    made = []
    for field, value in fields.items():
        values = sorted(value) if isinstance(value, (list, tuple, set)) else [value]
        made.extend(Setting(field=field, value="" if one is None else str(one)) for one in values)
    return made


def value_of(records, name):
    """The value that shows of a field, among the records of a case; None where no record has it or it was cleared."""
    for record in records:
        for field in record.fields:
            if field.name == name:
                return plain(field.shown.value)
    return None


def plain(value):
    """A field's value as Python has it: None, str, int, bool, or a list of str."""
    if value.is_text():
        return value.text
    if value.is_number():
        return value.number
    if value.is_flag():
        return value.flag
    if value.is_several():
        return list(value.members)
    if value.is_event():
        return value.json
    return None
