//! The library's own prepared statements.

pub(super) mod positions;

use self::positions::PositionSql;
use super::names::Names;

/// One of the library's own prepared statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Sql {
    Events,
    EventsDesc,
    EventsInBytes,
    EventsDescInBytes,
    History,
    Notifications(Topics),
    /// A page with the row at which it starts.
    NotificationsFrom(Topics),
    NotificationsInBytes(Topics),
    NotificationsInBytesFrom(Topics),
    Head,
    EventAt,
    Position(PositionSql),
    Append,
    AppendOne,
    FindExisting,
    LockRecorded,
    Insert,
    Holder,
    RecordSnapshot,
    Snapshots,
    SnapshotsDesc,
}

/// The topics that a page of notifications selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Topics {
    All,
    /// Those that are listed in the fourth parameter.
    Listed,
    /// Those that are listed, and those that belong to one of the aggregates whose prefixes are the
    /// fifth parameter.
    ListedOrOfAggregates,
}

impl Sql {
    /// Returns the statement's text. It names all columns, because other versions of the Python
    /// library have more.
    pub(super) fn text(self, names: &Names) -> String {
        let events = names.path(&names.events);
        let snapshots = names.path(&names.snapshots);
        match self {
            Self::Events => of_one(&events, "ASC"),
            Self::EventsDesc => of_one(&events, "DESC"),
            Self::EventsInBytes => of_one_in_bytes(&events, "ASC"),
            Self::EventsDescInBytes => of_one_in_bytes(&events, "DESC"),
            Self::Snapshots => of_one(&snapshots, "ASC"),
            Self::SnapshotsDesc => of_one(&snapshots, "DESC"),
            Self::History => history(&events, &snapshots),
            Self::Notifications(topics) => with_short_states(&events, topics),
            Self::NotificationsFrom(topics) => from(&events, &with_short_states(&events, topics)),
            Self::NotificationsInBytes(topics) => in_bytes(&events, topics),
            Self::NotificationsInBytesFrom(topics) => from(&events, &in_bytes(&events, topics)),
            Self::Head => format!(
                "SELECT notification_id, originator_id, originator_version, topic, {PARTS_OF_STATE} FROM {events} \
                 ORDER BY notification_id DESC LIMIT 1"
            ),
            Self::EventAt => event_at(&events),
            Self::Position(sql) => sql.text(names),
            Self::Append => format!(
                "SELECT notification_id, originator_id, originator_version \
                 FROM {}($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
                names.path(&names.append)
            ),
            Self::AppendOne => {
                format!("SELECT {}($1, $2, $3, $4)", names.path(&names.append))
            }
            Self::FindExisting => find_existing(&events, names.id),
            Self::LockRecorded => {
                format!("SELECT FROM {events} WHERE notification_id = ANY ($1) FOR UPDATE")
            }
            // A statement does not see its own rows: this is the last position before them.
            Self::Insert => format!(
                "{}, ({})",
                insert(names, "$1", "$2", "$3", "$4"),
                last_position(&events)
            ),
            Self::Holder => HOLDER.to_owned(),
            Self::RecordSnapshot => record_snapshot(&snapshots),
        }
    }
}

const HOLDER: &str = "SELECT a.pid, a.application_name, a.state FROM pg_locks AS l \
    JOIN pg_stat_activity AS a ON a.pid = l.pid WHERE l.locktype = 'relation' AND l.granted \
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
    AND l.relation = to_regclass($1)::oid AND l.mode <> 'AccessShareLock' LIMIT 1";

impl Topics {
    /// Returns the condition of a row. A topic that is null may be any of them. Its row is damaged,
    /// so it has to be an error and must not be skipped.
    ///
    /// Behind the prefix of an aggregate comes no further dot. The listed topics are compared
    /// first, because the prefixes are compared one by one.
    fn condition(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Listed => "AND (topic = ANY ($4) OR topic IS NULL) ",
            Self::ListedOrOfAggregates => {
                "AND (topic = ANY ($4) OR topic IS NULL OR EXISTS (SELECT FROM unnest($5::text[]) AS p(prefix) \
                 WHERE starts_with(topic, p.prefix) AND strpos(substr(topic, length(p.prefix) + 1), '.') = 0)) "
            }
        }
    }

    /// Returns the next parameter.
    fn parameter(self) -> &'static str {
        match self {
            Self::All => "$4::bigint",
            Self::Listed => "$5::bigint",
            Self::ListedOrOfAggregates => "$6::bigint",
        }
    }
}

/// Returns the statement that selects a page up to the row whose state reaches the limit, all
/// states together. The length of a state is in its row, so the server reads only the states that
/// it sends.
fn in_bytes(events: &str, topics: Topics) -> String {
    let page = notifications("state", events, topics);
    let limit = topics.parameter();
    format!(
        "SELECT notification_id, originator_id, originator_version, topic, state FROM \
         (SELECT *, sum({LENGTH}) OVER (ORDER BY notification_id ROWS UNBOUNDED PRECEDING) AS bytes \
         FROM ({page}) AS page) AS page WHERE bytes - {LENGTH} < {limit} ORDER BY notification_id"
    )
}

/// Returns the statement that selects a page, with null in place of each state that is longer than
/// the last parameter. It costs less than the sum of [`in_bytes`].
fn with_short_states(events: &str, topics: Topics) -> String {
    notifications(&short_state(topics.parameter()), events, topics)
}

/// The parts of a state that a digest covers: its length in 8 bytes, its first and its last bytes.
const PARTS_OF_STATE: &str = "int8send(octet_length(state)::bigint) || substring(state FROM 1 FOR 64) \
                              || substring(state FROM greatest(octet_length(state) - 31, 1)) AS state";

/// Returns the statement that selects the event at a position, in the form of the row in front of a
/// page.
fn event_at(events: &str) -> String {
    format!(
        "SELECT notification_id, originator_id, originator_version, topic, {PARTS_OF_STATE} FROM {events} \
         WHERE notification_id = $1 AND notification_id > 0"
    )
}

/// Returns the statement that selects a page, and in front of it the event at which it starts. One
/// statement sees one state of the database.
fn from(events: &str, page: &str) -> String {
    format!("{} UNION ALL ({page})", event_at(events))
}

/// Returns the column of a state, or null in its place if it is longer than `longest`.
fn short_state(longest: &str) -> String {
    format!("CASE WHEN octet_length(state) <= {longest} THEN state END AS state")
}

/// The length of a state, in a statement.
const LENGTH: &str = "coalesce(octet_length(state), 0)";

fn record_snapshot(snapshots: &str) -> String {
    format!(
        "INSERT INTO {snapshots} (originator_id, originator_version, topic, state) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (originator_id, originator_version) DO UPDATE SET topic = excluded.topic, state = excluded.state"
    )
}

/// Returns the statement that selects the newest snapshot and a page of the events after it.
fn history(events: &str, snapshots: &str) -> String {
    let state = short_state("$5::bigint");
    format!(
        "WITH newest AS MATERIALIZED (SELECT originator_version, topic, state FROM {snapshots} \
         WHERE originator_id = $1 AND originator_version <= $2 ORDER BY originator_version DESC LIMIT 1) \
         SELECT originator_version, topic, state, true FROM newest UNION ALL \
         (SELECT originator_version, topic, {state}, false FROM {events} WHERE originator_id = $1 \
         AND originator_version > coalesce((SELECT originator_version FROM newest), $3) \
         AND originator_version <= $2 ORDER BY originator_version LIMIT $4)"
    )
}

fn notifications(state: &str, events: &str, topics: Topics) -> String {
    let condition = topics.condition();
    format!(
        "SELECT notification_id, originator_id, originator_version, topic, {state} FROM {events} \
         WHERE notification_id > $1 AND notification_id <= $2 {condition}\
         ORDER BY notification_id LIMIT $3"
    )
}

fn find_existing(events: &str, id: &str) -> String {
    format!(
        "SELECT t.notification_id, t.topic = e.topic AND t.state = e.state, EXISTS (SELECT FROM {events} AS b \
         WHERE b.originator_id = e.id AND b.originator_version = e.version - 1) \
         FROM unnest($1::{id}[], $2::bigint[], $3::text[], $4::bytea[]) \
         WITH ORDINALITY AS e(id, version, topic, state, ord) \
         LEFT JOIN {events} AS t ON t.originator_id = e.id AND t.originator_version = e.version ORDER BY e.ord"
    )
}

/// Returns the statement that selects rows of one aggregate, with null in place of each state that
/// is longer than the last parameter.
fn of_one(table: &str, order: &str) -> String {
    rows_of_one(&short_state("$5::bigint"), table, order)
}

/// Returns the statement that selects rows of one aggregate up to the one whose state reaches the
/// limit, all states together.
fn of_one_in_bytes(table: &str, order: &str) -> String {
    let page = rows_of_one("state", table, order);
    format!(
        "SELECT originator_version, topic, state FROM (SELECT *, sum({LENGTH}) \
         OVER (ORDER BY originator_version {order} ROWS UNBOUNDED PRECEDING) AS bytes FROM ({page}) AS page) AS page \
         WHERE bytes - {LENGTH} < $5::bigint ORDER BY originator_version {order}"
    )
}

fn rows_of_one(state: &str, table: &str, order: &str) -> String {
    format!(
        "SELECT originator_version, topic, {state} FROM {table} WHERE originator_id = $1 \
         AND originator_version > $2 AND originator_version <= $3 ORDER BY originator_version {order} LIMIT $4"
    )
}

/// Returns the statement that selects the last position, by one look into the index.
pub(super) fn last_position(events: &str) -> String {
    format!("SELECT h.notification_id FROM {events} AS h ORDER BY h.notification_id DESC LIMIT 1")
}

/// Returns the statement that inserts events. Positions follow the order of the arrays, because an
/// INSERT computes its defaults after its sort.
pub(super) fn insert(
    names: &Names,
    ids: &str,
    versions: &str,
    topics: &str,
    states: &str,
) -> String {
    let (events, id) = (names.path(&names.events), names.id);
    format!(
        "INSERT INTO {events} AS t (originator_id, originator_version, topic, state) \
         SELECT e.id, e.version, e.topic, e.state \
         FROM unnest({ids}::{id}[], {versions}::bigint[], {topics}::text[], {states}::bytea[]) \
         WITH ORDINALITY AS e(id, version, topic, state, ord) ORDER BY e.ord \
         RETURNING t.notification_id, t.originator_id, t.originator_version"
    )
}
