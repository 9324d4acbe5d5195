#include "oci/distribution/registry_client.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <iterator>
#include <memory>
#include <utility>

#include "base/ascii.h"
#include "base/encoding.h"
#include "base/json.h"
#include "oci/distribution/checked_blob.h"
#include "oci/distribution/location.h"
#include "oci/distribution/wait_notice.h"
#include "oci/distribution/www_authenticate.h"

namespace oci {
namespace {

using base::ByteView;
using base::Milliseconds;
using net::HttpError;
using net::HttpResponse;
using net::HttpUrl;

constexpr std::size_t kMaxTokenBytes = std::size_t{64} << 10U;
/// A refusal's body may be longer than the blob that was asked for.
constexpr std::size_t kMinBodyLimit = std::size_t{64} << 10U;
constexpr std::size_t kMaxErrorCodeLength = 64;

constexpr base::JsonLimits kTokenLimits{.max_bytes = kMaxTokenBytes, .max_depth = 8, .max_values = 1024};
constexpr base::JsonLimits kErrorLimits{.max_bytes = kMinBodyLimit, .max_depth = 16, .max_values = 4096};

constexpr unsigned kOk = 200;
constexpr unsigned kPartialContent = 206;
constexpr unsigned kUnauthorized = 401;

bool is_redirect(unsigned status) {
  constexpr std::array<unsigned, 5> kRedirects = {301, 302, 303, 307, 308};
  return std::ranges::find(kRedirects, status) != kRedirects.end();
}

/// A refusal that another request, without a range, need not meet.
bool may_refuse_a_range(unsigned status) {
  constexpr unsigned kNotImplemented = 501;
  const bool is_refusal = status >= 400 && status < 500;
  return (is_refusal && status != kUnauthorized && !net::may_pass(status)) || status == kNotImplemented;
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

/// Without parameters, in lower case (RFC 9110 section 8.3.1).
std::string media_type_of(const HttpResponse& response) {
  std::string_view given = response.header("Content-Type");
  given = given.substr(0, given.find(';'));
  while (given.ends_with(' ') || given.ends_with('\t')) given.remove_suffix(1);
  return base::lower_case(given);
}

/// A type that does not tell what kind of document it is.
bool is_generic_type(std::string_view type) {
  constexpr std::array<std::string_view, 4> kGeneric = {"", "application/json", "application/octet-stream",
                                                        "text/plain"};
  return std::ranges::find(kGeneric, type) != kGeneric.end();
}

std::vector<std::string> values_of(const HttpResponse& response, std::string_view name) {
  std::vector<std::string> values;
  for (const net::HttpHeader& header : response.headers) {
    if (!net::find_header({header}, name).empty()) values.push_back(header.value);
  }
  return values;
}

/// The error code of the distribution API, such as MANIFEST_UNKNOWN; empty when the body has none that is fit to be
/// shown.
std::string error_code_of(const HttpResponse& response) {
  try {
    const base::Json document = base::parse_json(response.body, "registry error", kErrorLimits);
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

RegistryError refusal_error(const HttpResponse& response, const std::string& subject) {
  const bool passes = net::may_pass(response.status);
  return {subject + ": the registry answered " + std::to_string(response.status) + error_code_of(response),
          response.status, passes ? base::Transience::kMayPass : base::Transience::kPermanent,
          net::retry_after(response)};
}

std::string redirect_target(const std::string& from, const HttpResponse& response) {
  const std::vector<std::string> locations = values_of(response, "Location");
  if (locations.empty()) throw RegistryError("the registry redirects without saying where to", response.status);
  if (std::ranges::any_of(locations, [&](const std::string& other) { return other != locations.front(); })) {
    throw RegistryError("the registry redirects to two places", response.status);
  }
  try {
    return resolve_location(from, locations.front());
  } catch (const base::InvalidInput& error) {
    throw RegistryError(std::string("the registry redirects: ") + error.what(), response.status);
  }
}

/// The challenges of every field of that name. Where one is malformed, the others may still do.
std::vector<AuthChallenge> challenges_of(const HttpResponse& refusal) {
  std::vector<AuthChallenge> challenges;
  std::exception_ptr malformed;
  for (const std::string& value : values_of(refusal, "WWW-Authenticate")) {
    try {
      std::ranges::move(parse_www_authenticate(value), std::back_inserter(challenges));
    } catch (const base::InvalidInput&) {
      malformed = std::current_exception();
    }
  }
  if (challenges.empty() && malformed) std::rethrow_exception(malformed);
  return challenges;
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
  std::string what;  ///< for the log
  std::string accept = {};
  std::string range = {};
  std::size_t max_body_bytes = kMaxManifestBytes;
  CheckedBlob* blob = nullptr;  ///< takes the body of a 200 or 206

  std::string key() const { return reference->registry_host() + "/" + reference->repository(); }
};

struct RegistryClient::Answer {
  HttpResponse response;
  bool from_registry;  ///< not from a host that the registry redirected to
};

RegistryClient::RegistryClient(net::HttpClient& http, CredentialSource credentials, RegistryLimits limits)
    : http_(&http), credentials_(std::move(credentials)), limits_(limits) {}

base::Awaitable<ManifestBytes> RegistryClient::resolve(ImageReference reference) {
  ManifestBytes found = co_await manifest_with_retries(reference, reference.tag_or_digest(), reference.digest());
  // Some serve it as plain JSON; then it has to say itself what it is.
  if (is_generic_type(found.media_type)) found.media_type = inner_media_type(found.bytes);
  if (!is_index(found.media_type) && !is_manifest(found.media_type)) {
    throw RegistryError(reference.name() + ": the registry serves neither an image index nor an image manifest", kOk);
  }
  co_return found;
}

base::Awaitable<ManifestBytes> RegistryClient::manifest(ImageReference reference, Descriptor wanted) {
  ManifestBytes found = co_await manifest_with_retries(reference, wanted.digest.string(), wanted.digest);
  if (found.bytes.size() != wanted.size) {
    throw RegistryError(wanted.digest.string() + ": has another size than its descriptor says", kOk);
  }
  found.media_type = wanted.media_type;  // what the registry calls it does not matter any more
  co_return found;
}

base::Awaitable<ManifestBytes> RegistryClient::manifest_with_retries(const ImageReference& reference,
                                                                     const std::string& which,
                                                                     std::optional<Digest> expected) {
  const auto executor = co_await asio::this_coro::executor;
  const auto attempt = [&] { return fetch_manifest(reference, which, expected); };
  co_return co_await base::retry(executor, limits_.retry, attempt);
}

base::Awaitable<ManifestBytes> RegistryClient::fetch_manifest(const ImageReference& reference, const std::string& which,
                                                              std::optional<Digest> expected) {
  Call call{&reference, registry_origin(reference) + "/v2/" + reference.repository() + "/manifests/" + which,
            "manifest " + which};
  call.accept = accepted_manifests();
  HttpResponse response = co_await send(call);
  if (response.status != kOk) throw refusal_error(response, reference.name());
  ManifestBytes manifest{media_type_of(response), Digest::of(base::view_of(response.body)), std::move(response.body)};
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
  CheckedBlob checked(wanted, sink);
  const auto attempt = [&] { return fetch_blob(reference, wanted, checked); };
  co_await base::retry(executor, limits_.retry, attempt);
}

base::Awaitable<void> RegistryClient::fetch_blob(const ImageReference& reference, const Descriptor& wanted,
                                                 CheckedBlob& blob) {
  const auto executor = co_await asio::this_coro::executor;
  for (;;) {
    Milliseconds pause{0};
    try {
      co_await fetch_rest(reference, wanted, blob);
      co_return;
    } catch (const HttpError& error) {
      if (error.kind() == HttpError::Kind::kTimeout) throw;  // slow ones count
      pause = pause_if_got_on(error, blob);
    } catch (const base::Error& error) {
      pause = pause_if_got_on(error, blob);
    }
    co_await base::sleep_for(executor, pause);
  }
}

/// What `failure` asks for before the next try, when this one added enough not to count. Else it is thrown on: to be
/// called in its handler.
Milliseconds RegistryClient::pause_if_got_on(const base::Error& failure, const CheckedBlob& blob) const {
  const base::RetryPolicy once_more{.max_attempts = 2, .max_retry_after = limits_.retry.max_retry_after};
  const std::optional<Milliseconds> pause = once_more.pause_after(1, failure);
  if (!pause || blob.added() < limits_.min_progress) throw;  // NOLINT(misc-throw-by-value-catch-by-reference)
  return *pause;
}

base::Awaitable<void> RegistryClient::fetch_rest(const ImageReference& reference, const Descriptor& wanted,
                                                 CheckedBlob& blob) {
  if (blob.has_all()) {  // it broke off behind the last byte
    blob.finish();
    co_return;
  }
  blob.expect_answer();
  const std::uint64_t position = blob.next_position();
  Call call{&reference,
            registry_origin(reference) + "/v2/" + reference.repository() + "/blobs/" + wanted.digest.string(),
            "blob " + wanted.digest.string()};
  if (position > 0) call.range = "bytes=" + std::to_string(position) + "-";
  call.max_body_bytes = std::max<std::size_t>(wanted.size, kMinBodyLimit);
  call.blob = &blob;
  const HttpResponse response = co_await send(call);
  if (response.status != kOk && response.status != kPartialContent) {
    const RegistryError refusal = refusal_error(response, wanted.digest.string());
    const bool refuses_range = position > 0 && may_refuse_a_range(response.status);
    if (!refuses_range) throw RegistryError(refusal);
    blob.start_over();
    throw RegistryError(refusal.what(), response.status, base::Transience::kMayPass);
  }
  if (response.status == kPartialContent && !blob.has_all()) {
    if (blob.added() == 0) blob.start_over();
    throw RegistryError(wanted.digest.string() + ": the registry sent a part of it only", response.status,
                        base::Transience::kMayPass);
  }
  blob.finish();
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
  std::string url = call.url;
  const std::string origin = parse_allowed(url, "registry").origin();
  for (int redirects = 0;; ++redirects) {
    const HttpUrl here = parse_allowed(url, "redirect");
    net::HttpRequest request;
    request.url = url;
    if (!call.accept.empty()) request.headers.push_back({"Accept", call.accept});
    if (!call.range.empty()) request.headers.push_back({"Range", call.range});
    if (!authorization.empty()) request.headers.push_back({"Authorization", authorization});
    HttpResponse response = co_await exchange(std::move(request), call.max_body_bytes, call.what, call.blob);
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

/// One request and its answer.
base::Awaitable<HttpResponse> RegistryClient::exchange(net::HttpRequest request, std::size_t max_body_bytes,
                                                       std::string what, CheckedBlob* blob) {
  const net::HttpLimits limits{.max_body_bytes = max_body_bytes,
                               .timeout = limits_.answer_timeout,
                               .connect_timeout = limits_.connect_timeout,
                               .min_bytes_per_second = limits_.min_bytes_per_second,
                               .body_delay = limits_.body_delay};
  const auto executor = co_await asio::this_coro::executor;
  WaitNotice notice(executor, HttpUrl::parse(request.url, "URL").authority(), std::move(what), limits_.first_notice,
                    limits_.notice_interval);
  net::HttpClient::Sink sink;
  if (blob != nullptr) {
    sink = [blob, &notice](const HttpResponse& head, ByteView bytes) {
      notice.end();
      return blob->write(head, bytes);
    };
  }
  const base::TimeService& time = base::TimeService::of(co_await asio::this_coro::executor);
  const base::TimePoint began = time.now();
  try {
    co_return co_await http_->stream(std::move(request), limits, std::move(sink));
  } catch (const HttpError& error) {
    // Who was waited for that long is not asked again: it would begin anew.
    const bool has_begun = blob != nullptr && blob->has_begun();
    const bool took_all = time.now() - began >= limits_.answer_timeout;
    if (error.kind() != HttpError::Kind::kTimeout || has_begun || !took_all) throw;
    throw RegistryError(error.what(), 0);
  }
}

base::Awaitable<std::string> RegistryClient::authorize(const Call& call, const HttpResponse& refusal) {
  const std::vector<AuthChallenge> challenges = challenges_of(refusal);
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
  Call asked{call.reference, repair_url(realm->second, "token realm"), "token for " + host};
  const HttpUrl url = parse_allowed(asked.url, "token realm");
  if (!url.tls && !call.url.starts_with("http://"))
    throw RegistryError("token realm is not protected by TLS", kUnauthorized);

  asked.url += url.target.find('?') == std::string::npos ? "?" : "&";
  asked.url += "scope=" + net::url_encode("repository:" + call.reference->repository() + ":pull");
  const auto service = parameters.find("service");
  if (service != parameters.end()) asked.url += "&service=" + net::url_encode(service->second);
  asked.max_body_bytes = kMaxTokenBytes;
  std::string authorization;
  if (credential) authorization = basic_authorization(*credential);
  const Answer answer = co_await send_following_redirects(asked, std::move(authorization));
  const HttpResponse& response = answer.response;
  if (response.status != kOk) throw refusal_error(response, "token for " + host);

  const base::Json document = base::parse_json(response.body, "registry token", kTokenLimits);
  const base::JsonObject object(document, "registry token");
  const auto token = object.optional_string("token");
  const std::string text = token && !token->empty() ? *token : object.string("access_token");
  const bool legal = std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
  if (text.empty() || !legal) throw base::InvalidInput("registry token", "is no token");
  co_return "Bearer " + text;
}

}  // namespace oci
