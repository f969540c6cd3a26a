//! Types that Python stores by name, as parameters of events.

use std::fmt;
use std::str::FromStr;

use es_system::prelude::*;
use es_system::{Decimal, transcoding};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Currency(String);

transcoding!("currency_code", Currency);

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Currency {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        (text.len() == 3).then(|| Self(text.to_owned())).ok_or(())
    }
}

#[aggregate]
pub struct Account {
    pub currency: Currency,
    pub balance: Decimal,
}

#[aggregate]
impl Account {
    #[event(Opened)]
    pub fn open(currency: Currency) -> Self {
        Self {
            currency,
            balance: Decimal::default(),
        }
    }

    #[event(Paid)]
    pub fn pay(&mut self, amount: Decimal) {
        *self.balance += *amount;
    }
}

#[application]
struct Bank;

#[test]
fn money_of_a_users_own_type_is_stored_by_its_names_and_comes_back() -> Result<()> {
    let bank = Bank::new(Env::new())?;
    let mut account = Account::open(Currency("SEK".to_owned()));
    for amount in ["10.00", "0.10"] {
        account.pay(amount.parse().expect("a number"));
    }
    bank.save(&mut account)?;
    let log = bank.notification_log().select(1, 10)?;
    let states: Vec<_> = log
        .iter()
        .map(|event| String::from_utf8_lossy(&event.state))
        .collect();
    let currency = r#","currency":{"_type_":"currency_code","_data_":"SEK"}}"#;
    assert!(states[0].ends_with(currency), "{}", states[0]);
    let amount = r#","amount":{"_type_":"decimal_str","_data_":"10.00"}}"#;
    assert!(states[1].ends_with(amount), "{}", states[1]);
    let found: Account = bank.repository().get(account.id())?;
    assert_eq!(found.currency, account.currency);
    assert_eq!(found.balance.to_string(), "10.10");
    Ok(())
}
