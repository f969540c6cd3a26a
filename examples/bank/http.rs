//! The interface: its routes, and the answer to each error.
//!
//! The library blocks, so each request hands its work to a thread that may block, by
//! `es_system::tokio::run`.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Json, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use es_system::prelude::*;
use es_system::tokio::run;
use serde_json::{Value, json};

use crate::domain::{Account, Accounts, Refused, Transfer, Transfers};

#[derive(Clone)]
pub struct Bank {
    pub accounts: Arc<Accounts>,
    pub transfers: Arc<Transfers>,
}

#[derive(Deserialize)]
struct Open {
    owner: String,
}

#[derive(Deserialize)]
struct Deposit {
    amount: u64,
}

#[derive(Deserialize)]
struct Send {
    from: Uuid,
    to: Uuid,
    amount: u64,
}

pub fn routes(bank: Bank) -> Router {
    Router::new()
        .route("/accounts", post(open))
        .route("/accounts/{id}", get(account))
        .route("/accounts/{id}/deposits", post(deposit))
        .route("/transfers", post(send))
        .route("/transfers/{id}", get(transfer))
        .with_state(bank)
}

type Answer = Result<(StatusCode, Json<Value>), Failed>;

async fn open(State(bank): State<Bank>, Json(Open { owner }): Json<Open>) -> Answer {
    let id = run(&bank.accounts, |accounts| accounts.open(owner)).await?;
    Ok((StatusCode::CREATED, Json(json!({ "id": id.to_string() }))))
}

async fn account(State(bank): State<Bank>, Path(id): Path<Uuid>) -> Answer {
    let account: Account = run(&bank.accounts, move |accounts| {
        accounts.repository().get(id)
    })
    .await?;
    let owner = &account.owner;
    let balance = account.balance;
    Ok((
        StatusCode::OK,
        Json(json!({ "owner": owner, "balance": balance })),
    ))
}

async fn deposit(
    State(bank): State<Bank>,
    Path(id): Path<Uuid>,
    Json(Deposit { amount }): Json<Deposit>,
) -> Answer {
    let balance = run(&bank.accounts, move |accounts| accounts.deposit(id, amount)).await?;
    Ok((StatusCode::OK, Json(json!({ "balance": balance }))))
}

/// Accepts a transfer. The client asks for its outcome later.
async fn send(State(bank): State<Bank>, Json(Send { from, to, amount }): Json<Send>) -> Answer {
    let id = run(&bank.transfers, move |transfers| {
        transfers.request(from, to, amount)
    })
    .await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "id": id.to_string() }))))
}

async fn transfer(State(bank): State<Bank>, Path(id): Path<Uuid>) -> Answer {
    let transfer: Transfer = run(&bank.transfers, move |transfers| {
        transfers.repository().get(id)
    })
    .await?;
    Ok((StatusCode::OK, Json(json!({ "status": transfer.status }))))
}

/// The reason why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    Library(#[from] Error),
}

/// A client reads what concerns it. The error of the library names applications, the database and
/// its socket, so it goes to the log of the service.
impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let (status, said) = match &self {
            Self::Refused(refused) => (StatusCode::UNPROCESSABLE_ENTITY, refused.to_string()),
            Self::Library(error) => {
                let (status, said) = answer_to(error.kind());
                if status.is_server_error() {
                    eprintln!("{error}");
                }
                (status, said.to_owned())
            }
        };
        (status, Json(json!({ "error": said }))).into_response()
    }
}

fn answer_to(kind: ErrorKind) -> (StatusCode, &'static str) {
    match kind {
        ErrorKind::NotFound => (StatusCode::NOT_FOUND, "there is none with this id"),
        ErrorKind::Conflict => (
            StatusCode::CONFLICT,
            "it was changed at the same time: try again",
        ),
        ErrorKind::Store => (
            StatusCode::SERVICE_UNAVAILABLE,
            "nothing was done: try again later",
        ),
        ErrorKind::OutcomeUnknown => (
            StatusCode::SERVICE_UNAVAILABLE,
            "it is not known whether it was done: look before you try again",
        ),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "an internal error"),
    }
}
