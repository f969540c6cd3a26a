//! Accounts, transfers between them, and the two applications that keep them and follow each other.
//!
//! A client asks `Transfers` for a transfer. `Accounts` follows it: it moves the money from one
//! account to the other in one transaction, or refuses. `Transfers` follows `Accounts` and records
//! the outcome.

use es_system::prelude::*;

use crate::http::Failed;

/// The reason for a refusal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
pub enum Refused {
    #[error("the amount is zero")]
    Nothing,
    #[error("the balance of {balance} is less than {amount}")]
    InsufficientFunds { balance: u64, amount: u64 },
    #[error("an account cannot send to itself")]
    ToItself,
    #[error("there is no account {0}")]
    NoAccount(Uuid),
    #[error("the balance would be too large")]
    TooLarge,
}

#[aggregate(snapshot_every = 100)]
#[derive(Clone, Serialize, Deserialize)]
pub struct Account {
    pub owner: String,
    /// The balance, in cents.
    pub balance: u64,
}

#[aggregate]
impl Account {
    #[event(Opened)]
    pub fn open(owner: String) -> Self {
        Self { owner, balance: 0 }
    }

    #[event(Deposited)]
    fn deposited(&mut self, amount: u64) {
        self.balance += amount;
    }

    #[event(Sent)]
    fn sent(&mut self, transfer: AggregateId, amount: u64) {
        self.balance -= amount;
    }

    #[event(Received)]
    fn received(&mut self, transfer: AggregateId, amount: u64) {
        self.balance += amount;
    }

    pub fn deposit(&mut self, amount: u64) -> Result<(), Refused> {
        self.check_credit(amount)?;
        self.deposited(amount);
        Ok(())
    }

    /// Sends an amount to another account. Both accounts change, or neither does.
    pub fn send(
        &mut self,
        to: &mut Self,
        transfer: &AggregateId,
        amount: u64,
    ) -> Result<(), Refused> {
        let balance = self.balance;
        if balance < amount {
            return Err(Refused::InsufficientFunds { balance, amount });
        }
        to.check_credit(amount)?;
        self.sent(transfer.clone(), amount);
        to.received(transfer.clone(), amount);
        Ok(())
    }

    fn check_credit(&self, amount: u64) -> Result<(), Refused> {
        match (amount, self.balance.checked_add(amount)) {
            (0, _) => Err(Refused::Nothing),
            (_, None) => Err(Refused::TooLarge),
            _ => Ok(()),
        }
    }
}

/// The outcome of a transfer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Requested,
    Completed,
    Refused(String),
}

#[aggregate]
#[derive(Clone)]
pub struct Transfer {
    pub status: Status,
}

#[aggregate]
impl Transfer {
    #[event(Requested)]
    pub fn request(from: Uuid, to: Uuid, amount: u64) -> Self {
        Self {
            status: Status::Requested,
        }
    }

    #[event(Completed)]
    fn complete(&mut self) {
        self.status = Status::Completed;
    }

    #[event(Refused)]
    fn refuse(&mut self, reason: String) {
        self.status = Status::Refused(reason);
    }
}

/// The refusal of a transfer. No account changes, so followers learn of it by this aggregate.
#[aggregate]
pub struct Refusal {}

#[aggregate]
impl Refusal {
    #[event(Noted)]
    fn note(transfer: AggregateId, reason: String) -> Self {
        Self {}
    }
}

#[process_application]
pub struct Accounts;

#[process_application]
impl Accounts {
    #[policy(Transfer::Requested)]
    fn transfer(
        &self,
        event: &DomainEvent<TransferRequested>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let transfer = &event.originator_id;
        match self.moved(transfer, event)? {
            Ok(mut accounts) => processing_event.collect_events(&mut accounts[..]),
            Err(refused) => {
                let mut refusal = Refusal::note(transfer.clone(), refused.to_string());
                processing_event.collect_events(&mut refusal);
            }
        }
        Ok(())
    }

    /// Returns both accounts after the transfer, or the reason why it is refused.
    fn moved(
        &self,
        transfer: &AggregateId,
        TransferRequested { from, to, amount }: &TransferRequested,
    ) -> Result<Result<[Account; 2], Refused>> {
        if from == to {
            return Ok(Err(Refused::ToItself));
        }
        let Some(mut sender) = self.repository().find::<Account>(*from)? else {
            return Ok(Err(Refused::NoAccount(*from)));
        };
        let Some(mut receiver) = self.repository().find(*to)? else {
            return Ok(Err(Refused::NoAccount(*to)));
        };
        let sent = sender.send(&mut receiver, transfer, *amount);
        Ok(sent.map(|()| [sender, receiver]))
    }

    pub fn open(&self, owner: String) -> Result<AggregateId> {
        let mut account = Account::open(owner);
        self.save(&mut account)?;
        Ok(account.id().clone())
    }

    /// Adds an amount to an account, and returns the new balance.
    pub fn deposit(&self, account: Uuid, amount: u64) -> Result<u64, Failed> {
        let deposit = |account: &mut Account| {
            account.deposit(amount)?;
            Ok::<_, Refused>(account.balance)
        };
        self.try_execute(account, deposit)
            .map_err(ExecuteError::flatten)
    }
}

#[process_application]
pub struct Transfers;

#[process_application]
impl Transfers {
    #[policy(Account::Received)]
    fn complete(
        &self,
        event: &DomainEvent<AccountReceived>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let mut transfer: Transfer = self.repository().get(&event.transfer)?;
        transfer.complete();
        processing_event.collect_events(&mut transfer);
        Ok(())
    }

    #[policy(Refusal::Noted)]
    fn refuse(
        &self,
        event: &DomainEvent<RefusalNoted>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let mut transfer: Transfer = self.repository().get(&event.transfer)?;
        transfer.refuse(event.reason.clone());
        processing_event.collect_events(&mut transfer);
        Ok(())
    }

    pub fn request(&self, from: Uuid, to: Uuid, amount: u64) -> Result<AggregateId> {
        let mut transfer = Transfer::request(from, to, amount);
        self.save(&mut transfer)?;
        Ok(transfer.id().clone())
    }
}
