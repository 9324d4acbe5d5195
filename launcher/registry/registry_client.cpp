#include "launcher/registry/registry_client.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <utility>

#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>

#include "base/encoding.h"
#include "base/json.h"
#include "base/openssl.h"
#include "launcher/registry/www_authenticate.h"

namespace launcher {
namespace {

using base::ByteView;
using base::HttpError;
using base::HttpResponse;
using base::HttpUrl;
using base::Milliseconds;

constexpr std::size_t kMaxTokenBytes = std::size_t{64} << 10U;
/// A refusal's body may be longer than the blob that was asked for.
constexpr std::size_t kMinBodyLimit = std::size_t{64} << 10U;
constexpr std::size_t kMaxErrorCodeLength = 64;

constexpr unsigned kOk = 200;
constexpr unsigned kUnauthorized = 401;
constexpr unsigned kRequestTimeout = 408;
constexpr unsigned kTooManyRequests = 429;

bool is_redirect(unsigned status) {
  constexpr std::array<unsigned, 5> kRedirects = {301, 302, 303, 307, 308};
  return std::ranges::find(kRedirects, status) != kRedirects.end();
}

bool is_transient_status(unsigned status) {
  return status == kRequestTimeout || status == kTooManyRequests || status >= 500;
}

HttpUrl parse_allowed(const std::string& url, std::string_view field) {
  HttpUrl parsed = HttpUrl::parse(url, field);
  if (!parsed.tls && !parsed.is_loopback()) throw RegistryError(std::string(field) + " is not protected by TLS", 0);
  return parsed;
}

/// scheme://host[:port] of a registry. Plain HTTP is for a registry on this very machine only.
std::string registry_origin(const ImageReference& reference) {
  const std::string host = reference.registry_host();
  const HttpUrl plain = HttpUrl::parse("http://" + host + "/", "registry host");
  return (plain.is_loopback() ? "http://" : "https://") + host;
}

std::string media_type_of(const HttpResponse& response) {
  std::string_view type = response.header("Content-Type");
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  return std::string(type);
}

/// Every field of that name, as one list (RFC 9110 section 5.3).
std::string joined_header(const HttpResponse& response, std::string_view name) {
  std::string joined;
  for (const base::HttpHeader& header : response.headers) {
    if (base::find_header({header}, name).empty()) continue;
    joined += joined.empty() ? header.value : ", " + header.value;
  }
  return joined;
}

/// The error code of the distribution API, such as MANIFEST_UNKNOWN; empty when the body has none that is fit to be
/// shown.
std::string error_code_of(const HttpResponse& response) {
  try {
    const base::Json document = base::parse_json(response.body, "registry error");
    const auto errors = base::JsonObject(document, "registry error").objects_or_empty("errors");
    if (errors.empty()) return {};
    std::string code = errors.front().string("code");
    const bool fit = code.size() <= kMaxErrorCodeLength &&
                     std::ranges::all_of(code, [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; });
    return fit ? " (" + code + ")" : std::string();
  } catch (const base::InvalidInput&) {
    return {};
  }
}

Milliseconds retry_after_of(const HttpResponse& response) {
  const std::string_view text = response.header("Retry-After");
  unsigned seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return std::chrono::seconds(seconds);
}

RegistryError refusal_error(const HttpResponse& response, const std::string& subject) {
  return {subject + ": the registry answered " + std::to_string(response.status) + error_code_of(response),
          response.status, is_transient_status(response.status), retry_after_of(response)};
}

std::string redirect_target(const std::string& from, const HttpResponse& response) {
  const auto base_url = boost::urls::parse_uri(from);
  const auto location = boost::urls::parse_uri_reference(response.header("Location"));
  if (!base_url || !location || response.header("Location").empty()) {
    throw RegistryError("the registry redirects without saying where to", response.status);
  }
  boost::urls::url target;
  if (!boost::urls::resolve(*base_url, *location, target)) {
    throw RegistryError("the registry redirects to what is no URL", response.status);
  }
  return std::string(target.buffer());
}

std::string basic_authorization(const Credential& credential) {
  const std::string pair = credential.username + ":" + credential.password;
  return "Basic " + base::base64_encode(base::view_of(pair));
}

const AuthChallenge* find_challenge(const std::vector<AuthChallenge>& challenges, std::string_view scheme) {
  const auto found = std::ranges::find(challenges, scheme, &AuthChallenge::scheme);
  return found == challenges.end() ? nullptr : &*found;
}

std::string accepted_manifests() {
  std::string list;
  for (const std::string_view type : {kOciIndex, kOciManifest, kDockerIndex, kDockerManifest}) {
    if (!list.empty()) list += ", ";
    list += type;
  }
  return list;
}

/// Passes a blob on while checking that it is the one wanted.
class CheckedBlob {
 public:
  CheckedBlob(const Descriptor& wanted, const BlobSink& sink) : wanted_(&wanted), sink_(&sink) {}

  base::Awaitable<void> write(ByteView bytes) {
    received_ += bytes.size();
    if (received_ > wanted_->size)
      throw RegistryError(wanted_->digest.string() + ": longer than its descriptor says", kOk);
    hash_.update(bytes);
    co_await sink_->write(bytes);
  }

  void finish() {
    if (received_ != wanted_->size)
      throw RegistryError(wanted_->digest.string() + ": shorter than its descriptor says", kOk);
    if (Digest::from_sha256(hash_.finish()) != wanted_->digest) {
      throw RegistryError(wanted_->digest.string() + ": the content has another digest", kOk);
    }
  }

 private:
  const Descriptor* wanted_;
  const BlobSink* sink_;
  base::Sha256 hash_;
  std::uint64_t received_ = 0;
};

base::Awaitable<void> nothing() { co_return; }

struct Collector {
  base::Awaitable<void> restart() {
    text.clear();
    return nothing();
  }
  base::Awaitable<void> write(ByteView bytes) {
    text.append(base::text_of(bytes));
    return nothing();
  }
  std::string text;
};

}  // namespace

/// One GET to the distribution API.
struct RegistryClient::Call {
  const ImageReference* reference;
  std::string url;
  std::string accept = {};
  std::size_t max_body_bytes = kMaxManifestBytes;
  CheckedBlob* blob = nullptr;  ///< takes the body of a 200

  std::string key() const { return reference->registry_host() + "/" + reference->repository(); }
};

struct RegistryClient::Answer {
  HttpResponse response;
  bool from_registry;  ///< not from a host that the registry redirected to
};

RegistryClient::RegistryClient(base::HttpClient& http, CredentialSource credentials, RegistryLimits limits)
    : http_(&http), credentials_(std::move(credentials)), limits_(limits) {}

bool RegistryClient::should_retry(const base::Error& error, Milliseconds& pause) const {
  pause = Milliseconds{0};
  if (const auto* http = dynamic_cast<const HttpError*>(&error)) {
    switch (http->kind()) {
      case HttpError::Kind::kConnect:
      case HttpError::Kind::kTimeout:
      case HttpError::Kind::kProtocol: return true;
      case HttpError::Kind::kTls:
      case HttpError::Kind::kTooLarge: return false;
    }
  }
  const auto* refusal = dynamic_cast<const RegistryError*>(&error);
  if (refusal == nullptr || !refusal->is_transient()) return false;
  pause = std::min(refusal->retry_after(), limits_.max_retry_after);
  return true;
}

base::Awaitable<ManifestBytes> RegistryClient::resolve(ImageReference reference) {
  co_return co_await manifest_with_retries(reference, reference.tag_or_digest(), reference.digest());
}

base::Awaitable<ManifestBytes> RegistryClient::manifest(ImageReference reference, Descriptor wanted) {
  ManifestBytes found = co_await manifest_with_retries(reference, wanted.digest.string(), wanted.digest);
  if (found.bytes.size() != wanted.size || found.media_type != wanted.media_type) {
    throw RegistryError(wanted.digest.string() + ": size or media type is not what its descriptor says", kOk);
  }
  co_return found;
}

base::Awaitable<ManifestBytes> RegistryClient::manifest_with_retries(const ImageReference& reference,
                                                                     const std::string& which,
                                                                     std::optional<Digest> expected) {
  const auto executor = co_await asio::this_coro::executor;
  Milliseconds pause{0};
  co_return co_await base::retry(
      executor, limits_.retry, [&] { return fetch_manifest(reference, which, expected, pause); },
      [&](const base::Error& error) { return should_retry(error, pause); });
}

base::Awaitable<ManifestBytes> RegistryClient::fetch_manifest(const ImageReference& reference, const std::string& which,
                                                              std::optional<Digest> expected, Milliseconds pause) {
  if (pause.count() > 0) {
    const auto executor = co_await asio::this_coro::executor;
    co_await base::sleep_for(executor, pause);
  }
  Call call{&reference, registry_origin(reference) + "/v2/" + reference.repository() + "/manifests/" + which};
  call.accept = accepted_manifests();
  HttpResponse response = co_await send(call);
  if (response.status != kOk) throw refusal_error(response, reference.name());
  ManifestBytes manifest{media_type_of(response), Digest::of(base::view_of(response.body)), std::move(response.body)};
  if (!is_index(manifest.media_type) && !is_manifest(manifest.media_type)) {
    throw RegistryError(reference.name() + ": the registry serves neither an image index nor an image manifest", kOk);
  }
  if (expected && manifest.digest != *expected) {
    throw RegistryError(expected->string() + ": the content has another digest", kOk);
  }
  const std::string_view announced = response.header("Docker-Content-Digest");
  if (!announced.empty() && Digest::parse(announced, "Docker-Content-Digest") != manifest.digest) {
    throw RegistryError(reference.name() + ": the manifest's digest is not what the registry announces", kOk);
  }
  co_return manifest;
}

base::Awaitable<void> RegistryClient::blob(ImageReference reference, Descriptor wanted, BlobSink sink) {
  const auto executor = co_await asio::this_coro::executor;
  Milliseconds pause{0};
  co_await base::retry(
      executor, limits_.retry, [&] { return fetch_blob(reference, wanted, sink, pause); },
      [&](const base::Error& error) { return should_retry(error, pause); });
}

base::Awaitable<void> RegistryClient::fetch_blob(const ImageReference& reference, const Descriptor& wanted,
                                                 const BlobSink& sink, Milliseconds pause) {
  if (pause.count() > 0) {
    const auto executor = co_await asio::this_coro::executor;
    co_await base::sleep_for(executor, pause);
  }
  co_await sink.restart();
  CheckedBlob checked(wanted, sink);
  Call call{&reference,
            registry_origin(reference) + "/v2/" + reference.repository() + "/blobs/" + wanted.digest.string()};
  call.max_body_bytes = std::max<std::size_t>(wanted.size, kMinBodyLimit);
  call.blob = &checked;
  const HttpResponse response = co_await send(call);
  if (response.status != kOk) throw refusal_error(response, wanted.digest.string());
  checked.finish();
}

base::Awaitable<std::string> RegistryClient::small_blob(ImageReference reference, Descriptor wanted) {
  if (wanted.size > kMaxConfigBytes) throw RegistryError(wanted.digest.string() + ": too large", 0);
  Collector collector;
  BlobSink sink;
  sink.restart = [&collector] { return collector.restart(); };
  sink.write = [&collector](ByteView bytes) { return collector.write(bytes); };
  co_await blob(std::move(reference), std::move(wanted), std::move(sink));
  co_return std::move(collector.text);
}

base::Awaitable<HttpResponse> RegistryClient::send(const Call& call) {
  std::string authorization = authorizations_[call.key()];
  Answer first = co_await send_following_redirects(call, authorization);
  // A challenge from elsewhere is not answered: the registry's credential is for the registry.
  if (first.response.status != kUnauthorized || !first.from_registry) co_return std::move(first.response);
  authorization = co_await authorize(call, first.response);
  authorizations_[call.key()] = authorization;
  Answer second = co_await send_following_redirects(call, authorization);
  co_return std::move(second.response);
}

base::Awaitable<RegistryClient::Answer> RegistryClient::send_following_redirects(const Call& call,
                                                                                 std::string authorization) {
  const base::HttpLimits limits{.max_body_bytes = call.max_body_bytes,
                                .timeout = limits_.request_timeout,
                                .min_bytes_per_second = limits_.min_bytes_per_second};
  std::string url = call.url;
  const std::string origin = parse_allowed(url, "registry").origin();
  for (int redirects = 0;; ++redirects) {
    const HttpUrl here = parse_allowed(url, "redirect");
    base::HttpRequest request;
    request.url = url;
    if (!call.accept.empty()) request.headers.push_back({"Accept", call.accept});
    if (!authorization.empty()) request.headers.push_back({"Authorization", authorization});
    HttpResponse response;
    if (call.blob != nullptr) {
      CheckedBlob* blob = call.blob;
      base::HttpClient::Sink sink = [blob](ByteView bytes) { return blob->write(bytes); };
      response = co_await http_->stream(std::move(request), limits, std::move(sink));
    } else {
      response = co_await http_->send(std::move(request), limits);
    }
    if (!is_redirect(response.status)) {
      Answer answer{std::move(response), here.origin() == origin};
      co_return answer;
    }
    if (redirects == limits_.max_redirects) throw RegistryError("the registry redirects too often", response.status);
    url = redirect_target(url, response);
    const HttpUrl next = parse_allowed(url, "redirect");
    if (here.tls && !next.tls) throw RegistryError("the registry redirects from https to http", response.status);
    if (next.origin() != origin) authorization.clear();  // for good: a way back would be the other host's choice
  }
}

base::Awaitable<std::string> RegistryClient::authorize(const Call& call, const HttpResponse& refusal) {
  const auto challenges = parse_www_authenticate(joined_header(refusal, "WWW-Authenticate"));
  const std::string host = call.reference->registry_host();
  const std::optional<Credential> credential = credentials_ ? credentials_(host) : std::nullopt;
  if (const AuthChallenge* bearer = find_challenge(challenges, "bearer")) {
    std::string authorization = co_await bearer_token(call, bearer->parameters, credential);
    co_return authorization;
  }
  if (find_challenge(challenges, "basic") == nullptr) {
    throw RegistryError(host + " asks for a kind of authentication that is not supported", refusal.status);
  }
  if (!credential) throw RegistryError(host + " asks for a credential, and there is none for it", refusal.status);
  co_return basic_authorization(*credential);
}

base::Awaitable<std::string> RegistryClient::bearer_token(const Call& call,
                                                          std::map<std::string, std::string> parameters,
                                                          std::optional<Credential> credential) {
  const std::string host = call.reference->registry_host();
  const auto realm = parameters.find("realm");
  if (realm == parameters.end()) throw RegistryError(host + ": a Bearer challenge without a realm", kUnauthorized);
  const HttpUrl url = parse_allowed(realm->second, "token realm");
  if (!url.tls && !call.url.starts_with("http://"))
    throw RegistryError("token realm is not protected by TLS", kUnauthorized);

  base::HttpRequest request;
  request.url = realm->second + (url.target.find('?') == std::string::npos ? "?" : "&") +
                "scope=" + base::url_encode("repository:" + call.reference->repository() + ":pull");
  const auto service = parameters.find("service");
  if (service != parameters.end()) request.url += "&service=" + base::url_encode(service->second);
  if (credential) request.headers.push_back({"Authorization", basic_authorization(*credential)});
  const base::HttpLimits limits{.max_body_bytes = kMaxTokenBytes, .timeout = limits_.request_timeout};
  const HttpResponse response = co_await http_->send(std::move(request), limits);
  if (response.status != kOk) throw refusal_error(response, "token for " + host);

  const base::Json document = base::parse_json(response.body, "registry token");
  const base::JsonObject object(document, "registry token");
  const auto token = object.optional_string("token");
  const std::string text = token && !token->empty() ? *token : object.string("access_token");
  const bool legal = std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
  if (text.empty() || !legal) throw base::InvalidInput("registry token", "is no token");
  co_return "Bearer " + text;
}

}  // namespace launcher
