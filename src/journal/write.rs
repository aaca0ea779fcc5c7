//! Writes one record in the writer's transaction, with its line of evidence.

use rusqlite::{Connection, params};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::row::{hex, number, text_of};
use super::{Answer, Consented, Intent, OutcomeRow, Record, RunRow, body, evidence};

pub(super) fn record(database: &Connection, record: &Record) -> rusqlite::Result<()> {
    match record {
        Record::Begun { run } => begun(database, run),
        Record::Resumed {
            run,
            at,
            pid,
            host,
            user,
        } => {
            forget_others(database, run)?;
            database
                .prepare_cached(
                    "UPDATE runs SET pid = ?2, host = ?3, account = ?4, ended = NULL, exit_code = NULL, is_open = 1
                     WHERE run = ?1",
                )?
                .execute(params![run, pid, host, user])?;
            let json = json!({ "pid": pid, "host": host, "user": user });
            evidence::append(database, run, *at, "resumed", &json.to_string())
        }
        Record::Ended {
            run,
            at,
            exit,
            result,
            open,
        } => {
            forget_others(database, run)?;
            // Before the result stands in the run's row, which is written anew for each row of evidence.
            let json = json!({ "exit": exit, "open": open, "result_sha256": result.sha256 });
            evidence::append(database, run, *at, "ended", &json.to_string())?;
            database
                .prepare_cached(
                    "UPDATE runs SET ended = ?2, exit_code = ?3, result = ?4, is_open = ?5 WHERE run = ?1",
                )?
                .execute(params![run, text_of(*at), exit, result.bytes, open])?;
            Ok(())
        }
        Record::Answer(record) => answer(database, record),
        Record::Forget { run, lane } => {
            // The lanes below start with `lane/`; `0` is the character after `/`, and texts compare by their bytes.
            database
                .prepare_cached(
                    "DELETE FROM answers WHERE run = ?1 AND (lane = ?2 OR (lane >= ?3 AND lane < ?4))",
                )?
                .execute(params![run, lane, format!("{lane}/"), format!("{lane}0")])?;
            Ok(())
        }
        Record::ForgetFrom { run, lane, number } => {
            database
                .prepare_cached(
                    "DELETE FROM answers WHERE run = ?1 AND ((lane = ?2 AND number >= ?3) OR (lane >= ?4 AND lane < ?5))",
                )?
                .execute(params![
                    run,
                    lane,
                    number,
                    format!("{lane}/"),
                    format!("{lane}0")
                ])?;
            Ok(())
        }
        Record::Intent(record) => intent(database, record),
        Record::Outcome(record) => outcome(database, record),
        Record::Consent(record) => consent(database, record),
        Record::Item {
            run,
            position,
            json,
        } => {
            database
                .prepare_cached(
                    "INSERT INTO items (run, number, json) VALUES (?1, ?2, ?3)
                     ON CONFLICT (run, number) DO UPDATE SET json = excluded.json",
                )?
                .execute(params![run, position, json])?;
            Ok(())
        }
        Record::Session { run, id, json } => {
            database
                .prepare_cached(
                    "INSERT INTO sessions (run, session, number, json)
                     VALUES (?1, ?2, (SELECT COUNT(*) FROM sessions WHERE run = ?1), ?3)
                     ON CONFLICT (run, session) DO UPDATE SET json = excluded.json",
                )?
                .execute(params![run, id, json])?;
            Ok(())
        }
        Record::Note {
            run,
            at,
            kind,
            json,
        } => evidence::append(database, run, *at, kind, json),
    }
}

/// What other processes knew of a run in the process that has ended: what it was wished is over, and what it still has in
/// the service is shown there.
fn forget_others(database: &Connection, run: &str) -> rusqlite::Result<()> {
    for table in ["wishes", "slots"] {
        database
            .prepare_cached(&format!("DELETE FROM {table} WHERE run = ?1"))?
            .execute([run])?;
    }
    Ok(())
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn begun(database: &Connection, run: &RunRow) -> rusqlite::Result<()> {
    let source = body::keep(database, &run.source)?;
    database
        .prepare_cached(
            "INSERT INTO runs (run, script, sha256, source, source_hash, start_order, started, pid, host, account, tenant,
                               api, policy_sha256, kind, ended, exit_code, is_open, result, head_row, head)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, 0, ?19)",
        )?
        .execute(params![
            run.id,
            run.script,
            run.sha256,
            source.inline,
            source.hash,
            run.order,
            text_of(run.started),
            run.pid,
            run.host,
            run.user,
            run.tenant,
            run.api,
            run.policy_sha256,
            run.kind,
            run.ended.map(text_of),
            run.exit,
            run.open,
            run.result,
            evidence::first(&run.id),
        ])?;
    let json = json!({
        "script": run.script,
        "sha256": run.sha256,
        "order_sha256": sha256(run.order.as_bytes()),
        "pid": run.pid,
        "host": run.host,
        "user": run.user,
        "tenant": run.tenant,
        "api": run.api,
        "policy_sha256": run.policy_sha256,
        "kind": run.kind,
    });
    evidence::append(database, &run.id, run.started, "begun", &json.to_string())
}

fn answer(database: &Connection, answer: &Answer) -> rusqlite::Result<()> {
    let body = body::keep(database, &answer.body)?;
    database
        .prepare_cached(
            "INSERT INTO answers (run, lane, number, part, operation, digest, body, body_hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (run, lane, number, part) DO UPDATE SET
                 operation = excluded.operation, digest = excluded.digest, body = excluded.body,
                 body_hash = excluded.body_hash",
        )?
        .execute(params![
            answer.run,
            answer.lane,
            answer.number,
            answer.part,
            answer.operation,
            answer.digest,
            body.inline,
            body.hash,
        ])?;
    Ok(())
}

fn intent(database: &Connection, intent: &Intent) -> rusqlite::Result<()> {
    database
        .prepare_cached(
            "INSERT INTO intents (run, sequence, lane, number, part, round, class, operation, method, path, body_sha256,
                                  items, place, at, clock)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        )?
        .execute(params![
            intent.run,
            number(intent.sequence),
            intent.lane,
            intent.number,
            intent.part,
            intent.round,
            intent.class,
            intent.operation,
            intent.method,
            intent.path,
            intent.body_sha256,
            intent.items,
            intent.place,
            text_of(intent.at),
            text_of(intent.clock),
        ])?;
    let json = json!({
        "sequence": intent.sequence,
        "class": intent.class,
        "operation": intent.operation,
        "method": intent.method,
        // Without its query: a value in there is the script's business.
        "path": intent.path.split('?').next(),
        "body_sha256": hex(&intent.body_sha256),
        "items": intent.items,
        "round": intent.round,
        "place": intent.place,
        "clock": text_of(intent.clock),
    });
    evidence::append(
        database,
        &intent.run,
        intent.at,
        "intent",
        &json.to_string(),
    )
}

fn outcome(database: &Connection, outcome: &OutcomeRow) -> rusqlite::Result<()> {
    let answer = body::keep_any(database, outcome.answer.as_deref())?;
    database
        .prepare_cached(
            "INSERT INTO outcomes (run, sequence, state, answer, answer_hash, error, request_id, found, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (run, sequence) DO UPDATE SET
                 state = excluded.state, answer = excluded.answer, answer_hash = excluded.answer_hash,
                 error = excluded.error, request_id = excluded.request_id, found = excluded.found, at = excluded.at",
        )?
        .execute(params![
            outcome.run,
            number(outcome.sequence),
            outcome.state.name(),
            answer.inline,
            answer.hash,
            outcome.error,
            outcome.request_id,
            outcome.found,
            text_of(outcome.at),
        ])?;
    let json = json!({
        "sequence": outcome.sequence,
        "state": outcome.state.name(),
        "found": outcome.found,
        "request_id": outcome.request_id,
        "error": outcome.error,
        "answer_sha256": outcome.answer.as_deref().map(sha256),
    });
    evidence::append(
        database,
        &outcome.run,
        outcome.at,
        "outcome",
        &json.to_string(),
    )
}

fn consent(database: &Connection, consent: &Consented) -> rusqlite::Result<()> {
    let keys = json!(consent.keys).to_string();
    let kept = body::keep(database, keys.as_bytes())?;
    database
        .prepare_cached(
            "INSERT INTO consents (run, number, class, question, keys, keys_hash, for_all, how, at)
             VALUES (?1, (SELECT COUNT(*) FROM consents WHERE run = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            consent.run,
            consent.class,
            consent.question,
            kept.inline,
            kept.hash,
            consent.all,
            consent.how,
            text_of(consent.at),
        ])?;
    let json = json!({
        "class": consent.class,
        "question": consent.question,
        "items": consent.keys.len(),
        "keys_sha256": sha256(keys.as_bytes()),
        "all": consent.all,
        "how": consent.how,
    });
    evidence::append(
        database,
        &consent.run,
        consent.at,
        "consent",
        &json.to_string(),
    )
}
