//! Saved views: each user has their own, and nobody else's.

use roadstead_api::{
    saved_view::NewSavedView,
    user::{NewUser, Role},
};
use roadstead_client::{Credentials, ErrorKind, blocking::Client};

use crate::support::{Server, roadstead};

const PASSWORD: &str = "correct horse battery";

fn view(name: &str, query: &str) -> NewSavedView {
    NewSavedView { name: name.to_owned(), noun: "machine".to_owned(), query: query.to_owned() }
}

#[test]
fn a_view_is_saved_in_place_of_its_namesake_and_belongs_to_one_user() {
    let server = Server::start();
    let first = server.client.save_view(&view("web", "search=web")).unwrap();
    let again = server.client.save_view(&view("web", "search=web&state=stopped")).unwrap();
    assert_eq!((first.id, &*again.query), (again.id, "search=web&state=stopped"));
    server.client.save_view(&view("all", "")).unwrap();
    let new = NewUser { username: "ann".into(), password: PASSWORD.into(), role: Role::Observer };
    let id = server.client.create_user(&new).unwrap().id;
    let credentials = Credentials::Password { username: new.username, password: new.password };
    let ann = Client::new(&server.url, credentials).unwrap();
    ann.save_view(&view("web", "search=hers")).unwrap();
    assert_eq!(ann.saved_views().unwrap().len(), 1);
    assert_eq!(ann.delete_saved_view(first.id).unwrap_err().kind(), ErrorKind::NotFound);
    server.client.delete_user(id).unwrap();

    let names: Vec<_> = server.client.saved_views().unwrap().into_iter().map(|view| view.name).collect();
    assert_eq!(names, ["web", "all"]);
    let mut command = roadstead();
    command.args(["saved-views", "delete", &first.id.to_string(), "--yes"]);
    command.env("ROADSTEAD_URL", &server.url).env("ROADSTEAD_API_KEY", &server.api_key);
    assert!(command.status().unwrap().success());
    assert_eq!(server.client.saved_views().unwrap().len(), 1);
}

#[test]
fn a_view_that_makes_no_sense_is_refused() {
    let server = Server::start();
    let noun = NewSavedView { noun: "Machines of mine".to_owned(), ..view("x", "") };
    for wrong in [view("", ""), view("x", &"y".repeat(2001)), view("x", "a\nb"), noun] {
        assert_eq!(server.client.save_view(&wrong).unwrap_err().kind(), ErrorKind::Invalid, "{wrong:?}");
    }
    for number in 0..200 {
        server.client.save_view(&view(&number.to_string(), "")).unwrap();
    }
    assert_eq!(server.client.save_view(&view("one more", "")).unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(server.client.saved_views().unwrap().len(), 200);
}
