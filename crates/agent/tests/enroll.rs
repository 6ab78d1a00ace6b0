//! Enrolment against a server of the test's own.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test ends where it fails")]

use std::{
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{Arc, Mutex},
};

use axum::{Json, Router, extract::State, http::StatusCode, response::IntoResponse, routing::post};
use base64::{Engine, engine::general_purpose::STANDARD};
use roadstead_agent::{EnrollOptions, ErrorKind, enroll};
use roadstead_api::{
    agent::{Enrolled, Enrolment},
    id::{AgentId, VaultId},
};
use rsa::{
    Oaep, RsaPublicKey,
    pkcs8::{DecodePublicKey, EncodePublicKey},
};
use sha2::{Digest, Sha256};

/// What the server answers.
#[derive(Clone, Copy)]
enum Answer {
    Enrolled,
    /// The reply is lost on its way, as far as the agent can tell.
    Broken,
    /// The credential is encrypted to nobody's key.
    Garbled,
}

#[derive(Clone)]
struct FakeServer {
    answer: Arc<Mutex<Answer>>,
    seen: Arc<Mutex<Vec<Enrolment>>>,
    url: String,
}

impl FakeServer {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Self { answer: Arc::new(Mutex::new(Answer::Enrolled)), seen: Arc::default(), url };
        let router = Router::new().route("/api/v1/agents/enroll", post(answer)).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    fn answer(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    fn seen(&self) -> Vec<Enrolment> {
        self.seen.lock().unwrap().clone()
    }

    fn options(&self, folder: &Path) -> EnrollOptions {
        EnrollOptions {
            server: self.url.clone(),
            token: "rse1.secret.plain".to_owned(),
            data_dir: folder.join("new/agent"),
            name: None,
            ca_pem: None,
            proxy: None,
        }
    }
}

async fn answer(State(server): State<FakeServer>, Json(enrolment): Json<Enrolment>) -> impl IntoResponse {
    let key = RsaPublicKey::from_public_key_pem(&enrolment.public_key).unwrap();
    server.seen.lock().unwrap().push(enrolment);
    let answer = *server.answer.lock().unwrap();
    let encrypted = match answer {
        Answer::Enrolled => {
            let mut rng = rsa::rand_core::UnwrapErr(getrandom::SysRng);
            key.encrypt(&mut rng, Oaep::<Sha256>::new(), b"the-credential").unwrap()
        }
        Answer::Broken => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Answer::Garbled => vec![7; 256],
    };
    let enrolled = Enrolled {
        agent_id: AgentId(12),
        vault_id: VaultId("v-12".to_owned()),
        encrypted_credential: STANDARD.encode(encrypted),
    };
    (StatusCode::CREATED, Json(enrolled)).into_response()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn an_agent_is_enrolled_and_keeps_what_it_needs() {
    let server = FakeServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let options = server.options(folder.path());
    let data = options.data_dir.clone();
    let enrolled = enroll(EnrollOptions { name: Some("web 1".to_owned()), ..options }).await.unwrap();
    assert_eq!((enrolled.agent_id, enrolled.vault_id.0.as_str()), (AgentId(12), "v-12"));
    assert_eq!((enrolled.name.as_str(), &enrolled.server), ("web 1", &server.url));

    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].name.as_str(), seen[0].token.as_str()), ("web 1", "rse1.secret.plain"));
    let der = RsaPublicKey::from_public_key_pem(&seen[0].public_key).unwrap().to_public_key_der().unwrap();
    assert_eq!(enrolled.fingerprint, hex::encode(Sha256::digest(der.as_bytes())));

    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join("key.pem")), 0o600);
    assert_eq!(mode(&data.join("agent.json")), 0o600);
    let identity: serde_json::Value =
        serde_json::from_slice(&std::fs::read(data.join("agent.json")).unwrap()).unwrap();
    assert_eq!(identity["credential"], "the-credential");
}

#[tokio::test]
async fn a_retry_comes_from_the_same_key() {
    let server = FakeServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    server.answer(Answer::Broken);
    let error = enroll(server.options(folder.path())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Enrolment);
    server.answer(Answer::Garbled);
    let error = enroll(server.options(folder.path())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Key);
    server.answer(Answer::Enrolled);
    enroll(server.options(folder.path())).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|enrolment| enrolment.public_key == seen[0].public_key));
    assert_eq!(seen[0].name, seen[0].host.hostname, "the host name is the name");
}

#[tokio::test]
async fn an_enrolled_folder_is_not_enrolled_again() {
    let server = FakeServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    enroll(server.options(folder.path())).await.unwrap();
    let error = enroll(server.options(folder.path())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyEnrolled);
    let text = error.to_string();
    assert!(text.contains("agent 12") && text.contains(&server.url), "{text}");
    assert_eq!(server.seen().len(), 1, "the second token was not spent");
}

#[tokio::test]
async fn nothing_is_sent_where_it_could_be_overheard() {
    let server = FakeServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let hash = "ab".repeat(32);
    for url in ["http://192.0.2.1:1", "https://127.0.0.1:1", "http://localhost.example.com", "nonsense"] {
        let options = EnrollOptions { server: url.to_owned(), ..server.options(folder.path()) };
        assert_eq!(enroll(options).await.unwrap_err().kind(), ErrorKind::Address, "{url}");
    }
    for token in ["rse1.secret.public", &format!("rse1.secret.ca:{hash}")] {
        let options = EnrollOptions { token: token.to_owned(), ..server.options(folder.path()) };
        assert_eq!(enroll(options).await.unwrap_err().kind(), ErrorKind::Address, "{token} over plain HTTP");
    }
    for token in ["rse1.secret.sha256-ab12", "rse1.secret.ca:ab12", "rse2.secret.plain", "secret"] {
        let options = EnrollOptions { token: token.to_owned(), ..server.options(folder.path()) };
        let error = enroll(options).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Token, "{token}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    assert!(server.seen().is_empty());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
}

#[tokio::test]
async fn a_server_that_is_away_is_a_temporary_failure() {
    let server = FakeServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    // A port that was just free and has no listener.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let options = EnrollOptions { server: format!("http://{free}"), ..server.options(folder.path()) };
    let error = enroll(options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Enrolment);
    assert!(error.is_temporary());
}

#[tokio::test]
async fn a_broken_key_file_is_told_and_left_alone() {
    let server = FakeServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let options = server.options(folder.path());
    std::fs::create_dir_all(&options.data_dir).unwrap();
    let key = options.data_dir.join("key.pem");
    std::fs::write(&key, "not a key").unwrap();
    assert_eq!(enroll(options).await.unwrap_err().kind(), ErrorKind::Key);
    assert_eq!(std::fs::read_to_string(key).unwrap(), "not a key");
    assert!(server.seen().is_empty());
}
