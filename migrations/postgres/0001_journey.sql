-- The public journey: sign-up, consent, sitting, profile, mail, enquiry.
-- Ids are UUIDv7 as text in binary order, as SQLite sorts; times are UTC milliseconds; JSON is text.

-- What a form's submit id led to, so that a second click leads to the same place.
CREATE TABLE submission (
    submit_id TEXT COLLATE "C" NOT NULL,
    body_hash TEXT COLLATE "C" NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (submit_id, body_hash)
);

-- The outbox: one row a mail, rendered when it is sent.
CREATE TABLE message (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    contact_id TEXT COLLATE "C",
    to_address TEXT COLLATE "C" NOT NULL,
    params TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'failed', 'cancelled')),
    n_attempts BIGINT NOT NULL,
    due_ms BIGINT NOT NULL,
    last_error TEXT COLLATE "C",
    created_ms BIGINT NOT NULL,
    sent_ms BIGINT
);
CREATE INDEX message_due ON message (due_ms) WHERE state IN ('queued', 'sending');
CREATE INDEX message_contact ON message (contact_id);

-- One attempt to hand a mail over.
CREATE TABLE delivery (
    message_id TEXT COLLATE "C" NOT NULL REFERENCES message (id) ON DELETE CASCADE,
    n_attempt BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL CHECK (outcome IN ('sent', 'retry', 'failed')),
    detail TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (message_id, n_attempt)
);

-- The built-in mailbox of a machine without a mail server.
CREATE TABLE mailbox (
    message_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
    to_address TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    headers TEXT COLLATE "C" NOT NULL,
    body_text TEXT COLLATE "C" NOT NULL,
    body_html TEXT COLLATE "C" NOT NULL,
    at_ms BIGINT NOT NULL
);

-- A person we may write to (confirmed), or have asked (pending).
CREATE TABLE contact (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    address TEXT COLLATE "C" NOT NULL,
    address_key TEXT COLLATE "C" NOT NULL UNIQUE,
    name TEXT COLLATE "C" NOT NULL,
    organisation TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    phone TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('pending', 'confirmed')),
    nonce TEXT COLLATE "C" NOT NULL,
    created_ms BIGINT NOT NULL,
    confirmed_ms BIGINT,
    -- Turned over by every form that names the address: an engine does not write a row that stays as it is, which would take
    -- less time than making one.
    turned BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX contact_created ON contact (state, created_ms);

-- A sign-up form as acknowledged; a suppressed address has a row without contact, so that its redirect looks the same.
CREATE TABLE signup (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    quiz TEXT COLLATE "C" NOT NULL,
    contact_id TEXT COLLATE "C" REFERENCES contact (id) ON DELETE SET NULL,
    sitting_id TEXT COLLATE "C",
    message_id TEXT COLLATE "C",
    created_ms BIGINT NOT NULL,
    -- When its mail was last asked for again; 0 if never.
    asked_ms BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX signup_created ON signup (created_ms);
CREATE INDEX signup_contact ON signup (contact_id);
CREATE INDEX signup_sitting ON signup (sitting_id);

-- The consent ledger: append-only; each entry carries the hash of the one before it.
CREATE TABLE consent (
    contact_id TEXT COLLATE "C" NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
    n_entry BIGINT NOT NULL,
    purpose TEXT COLLATE "C" NOT NULL,
    event TEXT COLLATE "C" NOT NULL CHECK (event IN ('requested', 'confirmed', 'withdrawn')),
    wording TEXT COLLATE "C" NOT NULL,
    wording_version TEXT COLLATE "C" NOT NULL,
    locale TEXT COLLATE "C" NOT NULL,
    form_url TEXT COLLATE "C" NOT NULL,
    ip TEXT COLLATE "C" NOT NULL,
    message_id TEXT COLLATE "C",
    at_ms BIGINT NOT NULL,
    previous_hash TEXT COLLATE "C" NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (contact_id, n_entry)
);

-- A contact's present state for a purpose.
CREATE TABLE subscription (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    contact_id TEXT COLLATE "C" NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
    purpose TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('requested', 'confirmed', 'withdrawn')),
    nonce TEXT COLLATE "C" NOT NULL,
    changed_ms BIGINT NOT NULL,
    -- As in contact, by every form in which the purpose is ticked.
    turned BOOLEAN NOT NULL DEFAULT FALSE,
    UNIQUE (contact_id, purpose)
);

-- An address we must not write to, known by its keyed hash only.
CREATE TABLE suppression (
    address_hash TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    reason TEXT COLLATE "C" NOT NULL CHECK (reason IN ('bounce', 'complaint')),
    created_ms BIGINT NOT NULL
);

-- The receipt of an erasure: what proves the ledger that is gone, and what to redo after a restore.
CREATE TABLE erasure (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    address_hash TEXT COLLATE "C" NOT NULL,
    n_entries BIGINT NOT NULL,
    ledger_head TEXT COLLATE "C" NOT NULL,
    erased_ms BIGINT NOT NULL
);

-- One person taking one form once.
CREATE TABLE sitting (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    contact_id TEXT COLLATE "C" REFERENCES contact (id) ON DELETE SET NULL,
    quiz TEXT COLLATE "C" NOT NULL,
    instrument_id TEXT COLLATE "C" NOT NULL,
    instrument_hash TEXT COLLATE "C" NOT NULL,
    form_id TEXT COLLATE "C" NOT NULL,
    gate TEXT COLLATE "C" NOT NULL CHECK (gate IN ('first', 'last', 'none')),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('invited', 'started', 'finished')),
    details TEXT COLLATE "C" NOT NULL,
    -- Whose details stand there while the result is nobody's.
    details_contact_id TEXT COLLATE "C",
    level TEXT COLLATE "C" NOT NULL,
    start_nonce TEXT COLLATE "C" NOT NULL,
    report_nonce TEXT COLLATE "C" NOT NULL,
    report_hidden BOOLEAN NOT NULL,
    created_ms BIGINT NOT NULL,
    started_ms BIGINT,
    finished_ms BIGINT,
    claimed_ms BIGINT
);
CREATE UNIQUE INDEX sitting_invited ON sitting (contact_id, quiz)
    WHERE state = 'invited' AND contact_id IS NOT NULL;
CREATE INDEX sitting_contact ON sitting (contact_id);
CREATE INDEX sitting_created ON sitting (state, created_ms);

-- One answer.
CREATE TABLE response (
    sitting_id TEXT COLLATE "C" NOT NULL REFERENCES sitting (id) ON DELETE CASCADE,
    item_id TEXT COLLATE "C" NOT NULL,
    answer BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (sitting_id, item_id)
);

-- The scores of a sitting with their uncertainty.
CREATE TABLE profile (
    sitting_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES sitting (id) ON DELETE CASCADE,
    engine TEXT COLLATE "C" NOT NULL,
    scores TEXT COLLATE "C" NOT NULL,
    created_ms BIGINT NOT NULL
);

-- Somebody got in touch.
CREATE TABLE enquiry (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    address TEXT COLLATE "C" NOT NULL,
    address_key TEXT COLLATE "C" NOT NULL,
    phone TEXT COLLATE "C" NOT NULL,
    organisation TEXT COLLATE "C" NOT NULL,
    topic TEXT COLLATE "C" NOT NULL,
    programme TEXT COLLATE "C" NOT NULL,
    message TEXT COLLATE "C" NOT NULL,
    profile TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('new', 'answered')),
    created_ms BIGINT NOT NULL
);
CREATE INDEX enquiry_created ON enquiry (created_ms);
CREATE INDEX enquiry_address ON enquiry (address_key);
