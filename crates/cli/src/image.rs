//! `roadstead images`.

use clap::{Args, Subcommand};
use roadstead_client::api::image::{Image, ImageList, ImageStar};

use crate::{
    backend::{self, OfferArgs},
    error::{Exit, Result},
    list::{self, ListArgs},
    session::Session,
    table::{self, Row},
};

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum ImageCommand {
    /// List a backend's images, as it tells them now.
    #[command(after_help = "Example:\n  roadstead images list --backend hetzner --search ubuntu")]
    List(OfferArgs),
    /// List the images of a backend that were starred, or unstarred.
    #[command(after_help = "Example:\n  roadstead images stars --backend hetzner")]
    Stars {
        #[command(flatten)]
        of: BackendArgs,
        #[command(flatten)]
        which: ListArgs,
    },
    /// Star an image: one of those that people pick from.
    #[command(after_help = "Example:\n  roadstead images star debian-12 --backend hetzner")]
    Star(StarArgs),
    /// Take the star of an image away.
    #[command(after_help = "Example:\n  roadstead images unstar debian-12 --backend hetzner")]
    Unstar(StarArgs),
}

/// Which backend.
#[derive(Args, Debug)]
pub struct BackendArgs {
    /// The backend, by id or title.
    #[arg(long)]
    backend: String,
}

/// Which image.
#[derive(Args, Debug)]
pub struct StarArgs {
    /// The cloud's id of the image.
    image: String,
    #[command(flatten)]
    of: BackendArgs,
}

impl Row for ImageStar {
    const COLUMNS: &'static [&'static str] = &["image", "starred"];
    fn cells(&self) -> Vec<String> {
        vec![self.image.clone(), table::yes(self.starred)]
    }
}

impl Row for Image {
    const COLUMNS: &'static [&'static str] = &["id", "name"];
    fn cells(&self) -> Vec<String> {
        vec![self.id.clone(), self.name.clone()]
    }
}

/// Carries out a verb.
pub async fn run(command: ImageCommand, session: &Session) -> Result<Exit> {
    match command {
        ImageCommand::List(which) => backend::print_offers::<ImageList, _>(session, which).await,
        ImageCommand::Stars { of, which } => {
            let stars = backend::find(session, &of.backend).await?.image_stars().await?;
            list::print_known(session, stars, &which)
        }
        ImageCommand::Star(args) => star(session, args, true).await,
        ImageCommand::Unstar(args) => star(session, args, false).await,
    }
}

async fn star(session: &Session, args: StarArgs, starred: bool) -> Result<Exit> {
    let backend = backend::find(session, &args.of.backend).await?;
    session.output.object(&backend.star_image(&args.image, starred).await?)?;
    Ok(Exit::Done)
}
