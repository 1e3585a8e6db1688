//! What every capability stands on: storage, time, chance, keys, configuration, the site, mail, and the frame of pages.
//!
//! Nothing here knows a capability. A request takes a [`http::Visit`], decides, writes in one [`db::Tx`] together with the mails
//! it asks for ([`mail::queue`]), and answers with a page or a redirect.

pub mod address;
pub mod assets;
pub mod card;
pub mod chance;
pub mod clock;
pub mod config;
pub mod db;
pub mod encode;
pub mod house;
pub mod http;
pub mod keys;
pub mod mail;
pub mod pages;
pub mod samples;
pub mod site;
pub mod words;
