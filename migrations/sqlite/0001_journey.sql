-- The public journey: sign-up, consent, sitting, profile, mail, enquiry.
-- Ids are UUIDv7 as text; times are UTC milliseconds; JSON is text.

-- What a form's submit id led to, so that a second click leads to the same place.
CREATE TABLE submission (
    submit_id TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    outcome TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (submit_id, body_hash)
) WITHOUT ROWID;

-- The outbox: one row a mail, rendered when it is sent.
CREATE TABLE message (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    contact_id TEXT,
    to_address TEXT NOT NULL,
    params TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'failed', 'cancelled')),
    n_attempts BIGINT NOT NULL,
    due_ms BIGINT NOT NULL,
    last_error TEXT,
    created_ms BIGINT NOT NULL,
    sent_ms BIGINT
);
CREATE INDEX message_due ON message (due_ms) WHERE state IN ('queued', 'sending');
CREATE INDEX message_contact ON message (contact_id);

-- One attempt to hand a mail over.
CREATE TABLE delivery (
    message_id TEXT NOT NULL REFERENCES message (id) ON DELETE CASCADE,
    n_attempt BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('sent', 'retry', 'failed')),
    detail TEXT NOT NULL,
    PRIMARY KEY (message_id, n_attempt)
) WITHOUT ROWID;

-- The built-in mailbox of a machine without a mail server.
CREATE TABLE mailbox (
    message_id TEXT NOT NULL PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
    to_address TEXT NOT NULL,
    subject TEXT NOT NULL,
    headers TEXT NOT NULL,
    body_text TEXT NOT NULL,
    body_html TEXT NOT NULL,
    at_ms BIGINT NOT NULL
);

-- A person we may write to (confirmed), or have asked (pending). Without row numbers, here and in the two tables of sign-ups and
-- subscriptions: so the statements that make a row or find it there write to the same trees, and take the same time.
CREATE TABLE contact (
    id TEXT NOT NULL PRIMARY KEY,
    address TEXT NOT NULL,
    address_key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    organisation TEXT NOT NULL,
    role TEXT NOT NULL,
    phone TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'confirmed')),
    nonce TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    confirmed_ms BIGINT,
    -- Turned over by every form that names the address: an engine does not write a row that stays as it is, which would take
    -- less time than making one.
    turned BOOLEAN NOT NULL DEFAULT FALSE
) WITHOUT ROWID;
CREATE INDEX contact_created ON contact (state, created_ms);

-- A sign-up form as acknowledged; a suppressed address has a row without contact, so that its redirect looks the same.
CREATE TABLE signup (
    id TEXT NOT NULL PRIMARY KEY,
    quiz TEXT NOT NULL,
    contact_id TEXT REFERENCES contact (id) ON DELETE SET NULL,
    sitting_id TEXT,
    message_id TEXT,
    created_ms BIGINT NOT NULL,
    -- When its mail was last asked for again; 0 if never.
    asked_ms BIGINT NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX signup_created ON signup (created_ms);
CREATE INDEX signup_contact ON signup (contact_id);
CREATE INDEX signup_sitting ON signup (sitting_id);

-- The consent ledger: append-only; each entry carries the hash of the one before it.
CREATE TABLE consent (
    contact_id TEXT NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
    n_entry BIGINT NOT NULL,
    purpose TEXT NOT NULL,
    event TEXT NOT NULL CHECK (event IN ('requested', 'confirmed', 'withdrawn')),
    wording TEXT NOT NULL,
    wording_version TEXT NOT NULL,
    locale TEXT NOT NULL,
    form_url TEXT NOT NULL,
    ip TEXT NOT NULL,
    message_id TEXT,
    at_ms BIGINT NOT NULL,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (contact_id, n_entry)
);

-- A contact's present state for a purpose.
CREATE TABLE subscription (
    id TEXT NOT NULL PRIMARY KEY,
    contact_id TEXT NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
    purpose TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('requested', 'confirmed', 'withdrawn')),
    nonce TEXT NOT NULL,
    changed_ms BIGINT NOT NULL,
    -- As in contact, by every form in which the purpose is ticked.
    turned BOOLEAN NOT NULL DEFAULT FALSE,
    UNIQUE (contact_id, purpose)
) WITHOUT ROWID;

-- An address we must not write to, known by its keyed hash only.
CREATE TABLE suppression (
    address_hash TEXT NOT NULL PRIMARY KEY,
    reason TEXT NOT NULL CHECK (reason IN ('bounce', 'complaint')),
    created_ms BIGINT NOT NULL
) WITHOUT ROWID;

-- The receipt of an erasure: what proves the ledger that is gone, and what to redo after a restore.
CREATE TABLE erasure (
    id TEXT NOT NULL PRIMARY KEY,
    address_hash TEXT NOT NULL,
    n_entries BIGINT NOT NULL,
    ledger_head TEXT NOT NULL,
    erased_ms BIGINT NOT NULL
);

-- One person taking one form once. Without row numbers, here and in the two tables below: they would tell in which order, and
-- so when, answers came that were left for research without their person.
CREATE TABLE sitting (
    id TEXT NOT NULL PRIMARY KEY,
    contact_id TEXT REFERENCES contact (id) ON DELETE SET NULL,
    quiz TEXT NOT NULL,
    instrument_id TEXT NOT NULL,
    instrument_hash TEXT NOT NULL,
    form_id TEXT NOT NULL,
    gate TEXT NOT NULL CHECK (gate IN ('first', 'last', 'none')),
    state TEXT NOT NULL CHECK (state IN ('invited', 'started', 'finished')),
    details TEXT NOT NULL,
    -- Whose details stand there while the result is nobody's.
    details_contact_id TEXT,
    level TEXT NOT NULL,
    start_nonce TEXT NOT NULL,
    report_nonce TEXT NOT NULL,
    report_hidden BOOLEAN NOT NULL,
    created_ms BIGINT NOT NULL,
    started_ms BIGINT,
    finished_ms BIGINT,
    claimed_ms BIGINT
) WITHOUT ROWID;
CREATE UNIQUE INDEX sitting_invited ON sitting (contact_id, quiz)
    WHERE state = 'invited' AND contact_id IS NOT NULL;
CREATE INDEX sitting_contact ON sitting (contact_id);
CREATE INDEX sitting_created ON sitting (state, created_ms);

-- One answer.
CREATE TABLE response (
    sitting_id TEXT NOT NULL REFERENCES sitting (id) ON DELETE CASCADE,
    item_id TEXT NOT NULL,
    answer BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (sitting_id, item_id)
) WITHOUT ROWID;

-- The scores of a sitting with their uncertainty.
CREATE TABLE profile (
    sitting_id TEXT NOT NULL PRIMARY KEY REFERENCES sitting (id) ON DELETE CASCADE,
    engine TEXT NOT NULL,
    scores TEXT NOT NULL,
    created_ms BIGINT NOT NULL
) WITHOUT ROWID;

-- Somebody got in touch.
CREATE TABLE enquiry (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    address_key TEXT NOT NULL,
    phone TEXT NOT NULL,
    organisation TEXT NOT NULL,
    topic TEXT NOT NULL,
    programme TEXT NOT NULL,
    message TEXT NOT NULL,
    profile TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('new', 'answered')),
    created_ms BIGINT NOT NULL
);
CREATE INDEX enquiry_created ON enquiry (created_ms);
CREATE INDEX enquiry_address ON enquiry (address_key);
