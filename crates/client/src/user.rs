//! Users: the one who asks, and, for admins, the others.

use roadstead_api::{
    PageQuery,
    id::UserId,
    user::{
        NewUser, PasswordChange, User, UserChange, UserChangePassword, UserCreate, UserDelete, UserList,
        UserShow, UserShowSelf, UserUpdate,
    },
};

use crate::{Client, error::Result};

impl Client {
    /// The user whose credentials this client carries. Talks to the server.
    pub async fn user(&self) -> Result<User> {
        self.call::<UserShowSelf>(&(), &(), &()).await
    }

    /// Changes the password of the user whose credentials this client carries. Talks to the server.
    pub async fn change_password(&self, change: &PasswordChange) -> Result<()> {
        self.call::<UserChangePassword>(&(), &(), change).await
    }

    /// Lists the users of the account. Talks to the server.
    pub async fn users(&self) -> Result<Vec<User>> {
        self.list_all::<UserList, _>((), PageQuery::default()).await
    }

    /// Reads one user. Talks to the server.
    pub async fn get_user(&self, id: UserId) -> Result<User> {
        self.call::<UserShow>(&id, &(), &()).await
    }

    /// Makes a user. Talks to the server.
    pub async fn create_user(&self, new: &NewUser) -> Result<User> {
        self.call::<UserCreate>(&(), &(), new).await
    }

    /// Changes a user's role or password. Talks to the server.
    pub async fn update_user(&self, id: UserId, change: &UserChange) -> Result<User> {
        self.call::<UserUpdate>(&id, &(), change).await
    }

    /// Deletes a user with its API keys. Talks to the server.
    pub async fn delete_user(&self, id: UserId) -> Result<()> {
        self.call::<UserDelete>(&id, &(), &()).await
    }
}
