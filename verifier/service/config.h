#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/ip_network.h"
#include "verifier/tokens/key_store.h"

namespace verifier {

struct TlsFiles {
  std::filesystem::path certificate;  ///< chain in PEM, the server's own first
  std::filesystem::path private_key;
};

struct ListenConfig {
  std::string address;
  std::uint16_t port = 0;       ///< 0: any that is free
  std::optional<TlsFiles> tls;  ///< may be absent on loopback addresses only
  /// Networks (10.0.0.0/8) from which connections must begin with a header of the PROXY protocol, version 2.
  std::vector<net::IpNetwork> trusted_proxies = {};
};

struct IssuerConfig {
  std::string issuer;
  std::optional<std::filesystem::path> jwks;     ///< nothing: it publishes its keys
  std::optional<std::filesystem::path> ca = {};  ///< the only roots trusted for where it does

  bool operator==(const IssuerConfig&) const = default;
};

struct RootConfig {
  std::filesystem::path file;  ///< PEM
  /// The `hwmodel` claim of the machines it vouches for; nothing: Google Cloud (GCE), whose firmware says.
  std::optional<std::string> hwmodel;
};

/// What a machine gets that runs a deprecated image.
enum class OnDeprecated {
  kSayGce,  ///< a token that says "GCE", as of an image that nobody knows
  kRefuse,
};

/// Somebody else who publishes reference values.
struct PublisherConfig {
  std::string name;
  std::filesystem::path keys;      ///< PEM
  std::filesystem::path document;  ///< its signature stands beside it, in a file with ".sig" behind the name
};

/// The configuration of the service.
struct Config {
  std::string issuer;  ///< the `iss` claim, and where relying parties fetch the keys: https://host[:port][/path]
  ListenConfig listen;
  std::filesystem::path state_directory;
  std::vector<RootConfig> attestation_roots;
  std::vector<std::filesystem::path> reference_values;
  std::vector<PublisherConfig> reference_publishers;
  KeyPolicy keys;
  std::optional<Pkcs11Config> pkcs11;  ///< nothing: new keys are in the state folder
  std::chrono::seconds challenge_lifetime{300};
  std::vector<IssuerConfig> identity_token_issuers;
  std::vector<std::string> locations;  ///< empty: every location is served
  bool require_secure_boot = false;
  OnDeprecated on_deprecated = OnDeprecated::kSayGce;
  std::optional<std::filesystem::path> deny_list;
  /// scheme://host:port of the URLs by which launchers call this service: quotes are bound to one of them
  /// (evidence/request_binding.h). Its issuer unless configured.
  std::vector<std::string> endpoints;
  bool require_request_binding = false;

  /// Relative paths are taken from `folder`. Throws InvalidInput("config"...) that names the field.
  static Config parse(std::string_view json, const std::filesystem::path& folder);
  /// The same for a file, which is named by errors.
  static Config load(const std::filesystem::path& file);
};

/// The keys that sign tokens. Throws Error when the library of the token can't be loaded.
KeyStore key_store_of(const Config& config);

}  // namespace verifier
