//! Requests that the bank sends to itself, to show its answers.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use es_system::prelude::*;
use serde_json::{Value, json};
use tower::ServiceExt;

type AnyResult<T> = Result<T, Box<dyn std::error::Error>>;

pub async fn run(routes: Router, runner: &MultiThreadedRunner) -> AnyResult<()> {
    let client = Client { routes };
    let ann = client.id("/accounts", json!({ "owner": "Ann" })).await?;
    let bob = client.id("/accounts", json!({ "owner": "Bob" })).await?;
    let nobody = Uuid::nil().to_string();
    for amount in [1000, 0] {
        let said = client
            .post(
                &format!("/accounts/{ann}/deposits"),
                json!({ "amount": amount }),
            )
            .await?;
        println!("Ann deposits {amount}: {said}");
    }
    for (from, to, amount, what) in [
        (&ann, &bob, 300, "Ann sends 300 to Bob"),
        (&bob, &ann, 500, "Bob sends 500 to Ann"),
        (&ann, &ann, 1, "Ann sends 1 to herself"),
        (&ann, &nobody, 1, "Ann sends 1 to nobody"),
    ] {
        let transfer = json!({ "from": from, "to": to, "amount": amount });
        let transfer = client.id("/transfers", transfer).await?;
        // The transfer takes a moment. Waiting for it makes the output the same in each run.
        tokio::task::block_in_place(|| runner.wait_until_idle(Duration::from_secs(60)))?;
        println!(
            "{what}: {}",
            client.get(&format!("/transfers/{transfer}")).await?
        );
    }
    for (name, id) in [("Ann", ann), ("Bob", bob), ("nobody", nobody)] {
        println!(
            "account of {name}: {}",
            client.get(&format!("/accounts/{id}")).await?
        );
    }
    Ok(())
}

struct Client {
    routes: Router,
}

impl Client {
    async fn get(&self, path: &str) -> AnyResult<String> {
        self.send(Request::get(path).body(Body::empty())?).await
    }

    async fn post(&self, path: &str, body: Value) -> AnyResult<String> {
        let request = Request::post(path).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string()))?).await
    }

    /// Returns the id in an answer.
    async fn id(&self, path: &str, body: Value) -> AnyResult<String> {
        let said = self.post(path, body).await?;
        let (_, body) = said.split_once(' ').ok_or("no body")?;
        let body: Value = serde_json::from_str(body)?;
        Ok(body["id"].as_str().ok_or(said)?.to_owned())
    }

    /// Returns the status and the body of an answer.
    async fn send(&self, request: Request<Body>) -> AnyResult<String> {
        let answer = self.routes.clone().oneshot(request).await?;
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), 10_000).await?;
        Ok(format!("{status} {}", String::from_utf8_lossy(&body)))
    }
}
