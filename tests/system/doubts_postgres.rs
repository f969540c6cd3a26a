//! A save of unknown outcome on a server that is away for a while.

use std::sync::mpsc::channel;

use es_system::prelude::*;
use es_system::testing::postgres::database;
use tests::domain::{Dog, DogSchool};

use crate::proxy::{Ends, Point, Proxy};

/// The answer to a commit is lost, another session then holds the lock, and then the server is
/// away.
#[test]
fn what_was_paid_is_in_doubt_until_the_server_is_back_and_is_paid_once() -> Result<()> {
    let Some(database) = database() else {
        return Ok(());
    };
    let env = crate::sealed::zlib_and_aes(database.env())
        .with("POSTGRES_CONNECT_TIMEOUT", "1")
        .with("POSTGRES_LOCK_TIMEOUT", "0.2");
    DogSchool::new(env.clone())?.register_dog("Billy")?;
    for (point, paid) in [(Point::Unheard, 1), (Point::Unsent, 2)] {
        let proxy = Proxy::start(&env);
        let school = DogSchool::new(proxy.env())?;
        let mut holder = database.connect();
        let (hand_over, held) = channel();
        proxy.trap("dogschool:Dog.TrickAdded", point, move || {
            let lock = "BEGIN; LOCK TABLE dogschool_events IN EXCLUSIVE MODE";
            holder.batch_execute(lock).expect("a lock");
            hand_over.send(holder).expect("somebody waits for it");
        });
        let pay = || {
            school.execute::<Dog, _>(Dog::create_id("Billy"), |dog| {
                dog.add_trick("100");
                Ok(())
            })
        };
        let error = pay().expect_err("the answer was lost");
        assert!(proxy.has_sprung(), "the connection was not lost");
        assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{error}");
        let doubt = error.doubt().expect("a doubt");
        // A save looks for its outcome for 30 seconds at least.
        let is_away = std::env::var_os("ES_TORTURE").is_some();
        if is_away {
            proxy.refuse(true);
            proxy.cut(Ends::Both);
        }
        let error = doubt
            .settle()
            .expect_err("it is locked, or the server is away");
        assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{error}");
        proxy.refuse(false);
        drop(held.recv().expect("the lock was taken"));
        doubt.settle()?;
        assert_eq!(school.get_dog("Billy")?.tricks.len(), paid, "{point:?}");
        pay_nothing_more(&school, paid)?;
    }
    Ok(())
}

fn pay_nothing_more(school: &DogSchool, paid: usize) -> Result<()> {
    let log = school.notification_log().select(1, 100)?;
    assert_eq!(log.len(), 1 + paid);
    Ok(())
}
