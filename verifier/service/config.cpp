#include "verifier/service/config.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string>

#include "base/ascii.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "net/checked_text.h"
#include "net/http.h"
#include "verifier/appraisal/identity_tokens.h"
#include "verifier/appraisal/technology.h"
#include "verifier/reference/publisher.h"
#include "verifier/service/resource_name.h"

namespace verifier {
namespace {

using base::InvalidInput;
using base::JsonObject;

constexpr const char* kConfig = "config";
constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20U;
constexpr std::size_t kMaxProxies = 64;
constexpr std::size_t kMaxEndpoints = 16;
constexpr std::size_t kMaxPublishers = 64;
constexpr std::chrono::seconds kMaxChallengeLifetime{3600};
constexpr std::chrono::seconds kMinKeyPublication{2};
constexpr std::chrono::hours kMaxKeyPublication{24 * 7};
constexpr std::chrono::hours kMaxKeyLifetime{24 * 3650};

std::optional<std::chrono::seconds> optional_duration(const JsonObject& json, const char* key, std::chrono::seconds min,
                                                      std::chrono::seconds max) {
  const auto value = json.optional_unsigned(key);
  if (!value) return std::nullopt;
  if (*value < static_cast<std::uint64_t>(min.count()) || *value > static_cast<std::uint64_t>(max.count())) {
    throw InvalidInput(json.path() + "." + key, "is not between " + std::to_string(min.count()) + " and " +
                                                    std::to_string(max.count()) + " seconds");
  }
  return std::chrono::seconds(*value);
}

KeyPolicy parse_key_policy(const JsonObject& json) {
  using std::chrono::seconds;
  KeyPolicy policy;
  policy.token_lifetime =
      optional_duration(json, "token_lifetime_seconds", seconds(1), kMaxTokenLifetime).value_or(policy.token_lifetime);
  policy.publication = optional_duration(json, "key_publication_seconds", kMinKeyPublication, kMaxKeyPublication)
                           .value_or(policy.publication);
  policy.key_lifetime = optional_duration(json, "key_lifetime_seconds", kMinKeyPublication, kMaxKeyLifetime);
  // Else keys would be made faster than they are retired.
  if (policy.key_lifetime && *policy.key_lifetime < policy.publication + policy.token_lifetime) {
    throw InvalidInput(json.path() + ".key_lifetime_seconds",
                       "is less than key_publication_seconds and token_lifetime_seconds together");
  }
  return policy;
}

std::optional<Pkcs11Config> parse_pkcs11(const JsonObject& json, const std::filesystem::path& folder) {
  if (!json.has("pkcs11")) return std::nullopt;
  const JsonObject pkcs11 = json.object("pkcs11");
  pkcs11.expect_only({"module", "token", "pin_file"});
  return Pkcs11Config{.module = folder / pkcs11.string("module"),
                      .token = pkcs11.string("token"),
                      .pin_file = folder / pkcs11.string("pin_file")};
}

OnDeprecated parse_on_deprecated(const JsonObject& json) {
  const std::string text = json.string_or("on_deprecated", "say_gce");
  if (text == "say_gce") return OnDeprecated::kSayGce;
  if (text == "refuse") return OnDeprecated::kRefuse;
  throw InvalidInput(json.path() + ".on_deprecated", R"(is neither "say_gce" nor "refuse")");
}

std::string parse_issuer(const JsonObject& json) {
  const std::string field = json.path() + ".issuer";
  std::string issuer = json.string("issuer");
  const net::HttpUrl url = net::HttpUrl::parse(issuer, field);
  // As it stands there: what parses it makes something else of "/..".
  const std::size_t host = issuer.find("://") + 3;
  const auto is_of_host = [](char c) { return base::is_alphanumeric_or(c, "-.:[]"); };
  const std::string_view authority = std::string_view(issuer).substr(host, issuer.find('/', host) - host);
  if (!(issuer.starts_with("https://") || issuer.starts_with("http://")) ||
      !std::ranges::all_of(authority, is_of_host) || authority.ends_with(':')) {
    throw InvalidInput(field, "is not https://host[:port][/path]");
  }
  const std::string_view path = std::string_view(issuer).substr(std::min(issuer.find('/', host), issuer.size()));
  const auto is_plain = [](char c) { return base::is_alphanumeric_or(c, "-._~/"); };
  if (path.ends_with('/') || path.find("//") != std::string_view::npos || path.find("/.") != std::string_view::npos ||
      !std::ranges::all_of(path, is_plain)) {
    throw InvalidInput(field, "ends with a slash, or has a path of other than letters, digits, '-._~' and single '/'");
  }
  if (!url.tls && !url.is_loopback()) throw InvalidInput(field, "relying parties need https");
  return issuer;
}

std::vector<net::IpNetwork> parse_proxies(const JsonObject& json) {
  const std::string field = json.path() + ".trusted_proxies";
  const auto texts = json.strings_or_empty("trusted_proxies");
  if (texts.size() > kMaxProxies) throw InvalidInput(field, "are too many");
  std::vector<net::IpNetwork> networks;
  for (const std::string& text : texts) {
    const auto network = net::IpNetwork::parse(text);
    if (!network) throw InvalidInput(field, "\"" + text + "\" is no network such as 10.0.0.0/8 or fd00::/8");
    networks.push_back(*network);
  }
  return networks;
}

ListenConfig parse_listen(const JsonObject& json, const std::filesystem::path& folder) {
  json.expect_only({"address", "port", "certificate", "private_key", "trusted_proxies"});
  ListenConfig listen;
  listen.address = json.string("address");
  if (!net::is_address(listen.address)) {
    throw InvalidInput(json.path() + ".address", "\"" + listen.address + "\" is no IP address");
  }
  const std::uint64_t port = json.unsigned_integer("port");
  if (port > UINT16_MAX) throw InvalidInput(json.path() + ".port", "is no port");
  listen.port = static_cast<std::uint16_t>(port);
  listen.trusted_proxies = parse_proxies(json);
  if (json.has("certificate") || json.has("private_key")) {
    listen.tls = TlsFiles{folder / json.string("certificate"), folder / json.string("private_key")};
  } else if (!net::is_loopback(listen.address)) {
    throw InvalidInput(json.path() + ".certificate", "is missing: without TLS only loopback addresses are served");
  }
  return listen;
}

RootConfig parse_root(const JsonObject& json, const std::filesystem::path& folder) {
  json.expect_only({"file", "platform", "hwmodel"});
  RootConfig root{folder / json.string("file"), json.optional_string("hwmodel")};
  const auto platform = json.optional_string("platform");
  if (platform.has_value() == root.hwmodel.has_value()) {
    throw InvalidInput(json.path(), R"(takes either "platform": "GCE" or "hwmodel")");
  }
  if (platform && *platform != "GCE") throw InvalidInput(json.path() + ".platform", "is not \"GCE\"");
  if (root.hwmodel && !is_hardware_model(*root.hwmodel)) {
    throw InvalidInput(json.path() + ".hwmodel", "\"" + *root.hwmodel +
                                                     "\" is neither one of Google's models nor another name of "
                                                     "letters, digits, '_', '-' and '.'");
  }
  return root;
}

std::vector<RootConfig> parse_roots(const JsonObject& json, const std::filesystem::path& folder) {
  const std::string field = json.path() + ".attestation_roots";
  if (json.has("attestation_roots") && json.raw().at("attestation_roots").is_array()) {
    for (const base::Json& root : json.raw().at("attestation_roots")) {
      if (!root.is_string()) continue;
      throw InvalidInput(field, R"(a path alone does not say whose machines these are: write {"file": )" + root.dump() +
                                    R"(, "platform": "GCE"} or {"file": )" + root.dump() +
                                    R"(, "hwmodel": "SOFTWARE_TPM"})");
    }
  }
  std::vector<RootConfig> roots;
  for (const JsonObject& root : json.objects_or_empty("attestation_roots")) roots.push_back(parse_root(root, folder));
  if (roots.empty()) throw InvalidInput(field, "names no file");
  return roots;
}

std::vector<PublisherConfig> parse_publishers(const JsonObject& json, const std::filesystem::path& folder) {
  std::vector<PublisherConfig> publishers;
  std::set<std::string> names;
  for (const JsonObject& publisher : json.objects_or_empty("reference_publishers")) {
    publisher.expect_only({"name", "keys", "document"});
    publishers.push_back({.name = publisher.string("name"),
                          .keys = folder / publisher.string("keys"),
                          .document = folder / publisher.string("document")});
    const std::string& name = publishers.back().name;
    if (!is_publisher_name(name)) {
      throw InvalidInput(publisher.path() + ".name", "is not 1 to 64 letters, digits, '-', '_' and '.'");
    }
    if (!names.insert(name).second) throw InvalidInput(publisher.path() + ".name", "\"" + name + "\" stands twice");
  }
  if (publishers.size() > kMaxPublishers) throw InvalidInput(json.path() + ".reference_publishers", "are too many");
  return publishers;
}

/// One file, or a list of them, such as one for each build of an image. None is needed where others publish some.
std::vector<std::filesystem::path> parse_reference_values(const JsonObject& json, const std::filesystem::path& folder) {
  if (!json.has("reference_values") && json.has("reference_publishers")) return {};
  if (!json.has("reference_values") || !json.raw().at("reference_values").is_array()) {
    return {folder / json.string("reference_values")};
  }
  std::vector<std::filesystem::path> files;
  for (const std::string& file : json.strings_or_empty("reference_values")) files.push_back(folder / file);
  if (files.empty()) throw InvalidInput(json.path() + ".reference_values", "names no file");
  return files;
}

IssuerConfig parse_identity_issuer(const JsonObject& json, const std::filesystem::path& folder) {
  json.expect_only({"issuer", "jwks", "ca"});
  IssuerConfig issuer{.issuer = json.string("issuer"), .jwks = {}};
  if (const auto file = json.optional_string("jwks")) issuer.jwks = folder / *file;
  if (const auto file = json.optional_string("ca")) issuer.ca = folder / *file;
  if (issuer.jwks && issuer.ca) throw InvalidInput(json.path() + ".ca", "is for an issuer without jwks");
  if (!issuer.jwks) {
    const bool has_scheme = issuer.issuer.find("://") != std::string::npos;
    const net::HttpUrl url =
        net::HttpUrl::parse(has_scheme ? issuer.issuer : "https://" + issuer.issuer, json.path() + ".issuer");
    if (!url.tls && !url.is_loopback())
      throw InvalidInput(json.path() + ".issuer", "its keys are taken over https only");
  }
  return issuer;
}

std::vector<IssuerConfig> parse_issuers(const JsonObject& json, const std::filesystem::path& folder) {
  std::vector<IssuerConfig> issuers;
  for (const JsonObject& issuer : json.objects_or_empty("identity_token_issuers")) {
    IssuerConfig config = parse_identity_issuer(issuer, folder);
    const bool is_repeated = std::ranges::any_of(
        issuers, [&](const IssuerConfig& other) { return is_same_issuer(other.issuer, config.issuer); });
    if (is_repeated) throw InvalidInput(issuer.path() + ".issuer", "\"" + config.issuer + "\" stands twice");
    issuers.push_back(std::move(config));
  }
  return issuers;
}

/// In the form in which a launcher has them quoted.
std::vector<std::string> parse_endpoints(const JsonObject& json, const std::string& issuer) {
  std::vector<std::string> endpoints;
  for (const std::string& url : json.strings_or_empty("endpoints")) {
    endpoints.push_back(net::checked_service_url(url, json.path() + ".endpoints"));
  }
  if (endpoints.size() > kMaxEndpoints) throw InvalidInput(json.path() + ".endpoints", "are too many");
  if (endpoints.empty()) endpoints.push_back(net::HttpUrl::parse(issuer, json.path() + ".issuer").origin());
  return endpoints;
}

std::vector<std::string> parse_locations(const JsonObject& json) {
  auto locations = json.strings_or_empty("locations");
  std::set<std::string_view> seen;
  for (const std::string& location : locations) {
    if (!is_resource_id(location))
      throw InvalidInput(json.path() + ".locations", "\"" + location + "\" is no location");
    if (!seen.insert(location).second) {
      throw InvalidInput(json.path() + ".locations", "\"" + location + "\" stands twice");
    }
  }
  return locations;
}

}  // namespace

Config Config::parse(std::string_view text, const std::filesystem::path& folder) {
  const base::Json parsed = base::parse_json(text, kConfig, {.max_bytes = kMaxConfigBytes});
  const JsonObject json(parsed, kConfig);
  json.expect_only({"issuer", "listen", "state_directory", "attestation_roots", "reference_values",
                    "token_lifetime_seconds", "challenge_lifetime_seconds", "identity_token_issuers", "locations",
                    "require_secure_boot", "endpoints", "require_request_binding", "key_publication_seconds",
                    "key_lifetime_seconds", "on_deprecated", "deny_list", "reference_publishers", "pkcs11"});
  Config config;
  config.issuer = parse_issuer(json);
  config.listen = parse_listen(json.object("listen"), folder);
  if (json.string("state_directory").empty()) throw InvalidInput(std::string(kConfig) + ".state_directory", "is empty");
  config.state_directory = folder / json.string("state_directory");
  config.attestation_roots = parse_roots(json, folder);
  config.reference_values = parse_reference_values(json, folder);
  config.reference_publishers = parse_publishers(json, folder);
  config.keys = parse_key_policy(json);
  config.pkcs11 = parse_pkcs11(json, folder);
  config.challenge_lifetime =
      optional_duration(json, "challenge_lifetime_seconds", std::chrono::seconds(1), kMaxChallengeLifetime)
          .value_or(config.challenge_lifetime);
  config.identity_token_issuers = parse_issuers(json, folder);
  config.locations = parse_locations(json);
  config.on_deprecated = parse_on_deprecated(json);
  if (const auto file = json.optional_string("deny_list")) config.deny_list = folder / *file;
  config.require_secure_boot = json.optional_bool("require_secure_boot").value_or(false);
  config.endpoints = parse_endpoints(json, config.issuer);
  config.require_request_binding = json.optional_bool("require_request_binding").value_or(false);
  return config;
}

KeyStore key_store_of(const Config& config) {
  if (!config.pkcs11) return KeyStore(config.state_directory);
  return KeyStore(config.state_directory, std::make_shared<const Pkcs11Token>(*config.pkcs11));
}

Config Config::load(const std::filesystem::path& file) {
  const std::filesystem::path absolute = std::filesystem::absolute(file);
  const std::string text = base::read_text_file(absolute, kMaxConfigBytes);
  try {
    return parse(text, absolute.parent_path());
  } catch (const InvalidInput& error) {
    throw error.in_context(absolute.string());
  }
}

}  // namespace verifier
