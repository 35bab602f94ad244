//! The certificate of the SQL server.
use super::SqlError;
use datafusion_postgres::pgwire::tokio::{
    TlsAcceptor,
    tokio_rustls::rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};
use std::{path::Path, sync::Arc};

/// Reads certificate chain and private key.
///
/// # Errors
/// [`SqlError::Certificate`] with the file that cannot be used.
pub fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, SqlError> {
    let wrong = |path: &Path, reason: String| SqlError::Certificate { path: path.to_owned(), reason };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| wrong(certificate, format!("{error}; it must be a PEM file of certificates")))?;
    if chain.is_empty() {
        return Err(wrong(
            certificate,
            "there is no certificate in it; it must be a PEM file of certificates".to_owned(),
        ));
    }
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| wrong(key, format!("{error}; it must be a PEM file of a private key without password")))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private))
        .map_err(|error| wrong(key, format!("{error}; certificate and key must go together")))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
