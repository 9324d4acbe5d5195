#include "oci/distribution/registry_client.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/ascii.h"

namespace oci {
namespace {

using base::ByteView;
using base::Milliseconds;
using net::HttpError;
using net::HttpResponse;

/// A refusal that another request, without a range, need not meet.
bool may_refuse_a_range(unsigned status) {
  const bool is_refusal = status >= 400 && status < 500;
  return (is_refusal && status != net::status::kUnauthorized && !net::may_pass(status)) ||
         status == net::status::kNotImplemented;
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

std::string repository_url(const ImageReference& reference) {
  return registry_origin(reference) + "/v2/" + reference.repository();
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

RegistryClient::RegistryClient(net::HttpClient& http, CredentialSource credentials, RegistryLimits limits)
    : transport_(http, limits.transport), authorizer_(transport_, std::move(credentials)), limits_(limits) {}

base::Awaitable<ManifestBytes> RegistryClient::resolve(ImageReference reference) {
  ManifestBytes found = co_await manifest_with_retries(reference, reference.tag_or_digest(), reference.digest());
  // Some serve it as plain JSON; then it has to say itself what it is.
  if (is_generic_type(found.media_type)) found.media_type = inner_media_type(found.bytes);
  if (!is_index(found.media_type) && !is_manifest(found.media_type)) {
    throw RegistryError(reference.name() + ": the registry serves neither an image index nor an image manifest",
                        net::status::kOk);
  }
  co_return found;
}

base::Awaitable<ManifestBytes> RegistryClient::manifest(ImageReference reference, Descriptor wanted) {
  ManifestBytes found = co_await manifest_with_retries(reference, wanted.digest.string(), wanted.digest);
  if (found.bytes.size() != wanted.size) {
    throw RegistryError(wanted.digest.string() + ": has another size than its descriptor says", net::status::kOk);
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
  RegistryRequest request{.url = repository_url(reference) + "/manifests/" + which,
                          .what = "manifest " + which,
                          .accept = accepted_manifests(),
                          .max_body_bytes = kMaxManifestBytes};
  HttpResponse response = co_await send(reference, std::move(request));
  if (response.status != net::status::kOk) throw refusal_error(response, reference.name());
  ManifestBytes manifest{media_type_of(response), Digest::of(base::view_of(response.body)), std::move(response.body)};
  if (expected && manifest.digest != *expected) {
    throw RegistryError(expected->string() + ": the content has another digest", net::status::kOk);
  }
  const std::string_view announced = response.header("Docker-Content-Digest");
  if (!announced.empty() && Digest::parse(announced, "Docker-Content-Digest") != manifest.digest) {
    throw RegistryError(reference.name() + ": the manifest's digest is not what the registry announces",
                        net::status::kOk);
  }
  co_return manifest;
}

/// The index's bytes; nothing where there is none.
base::Awaitable<std::optional<std::string>> RegistryClient::fetch_referrers(const ImageReference& reference,
                                                                            const Digest& subject) {
  RegistryRequest request{.url = repository_url(reference) + "/referrers/" + subject.string(),
                          .what = "referrers of " + subject.string(),
                          .accept = std::string(kOciIndex),
                          .max_body_bytes = kMaxManifestBytes};
  HttpResponse response = co_await send(reference, std::move(request));
  if (response.status == net::status::kOk && media_type_of(response) == kOciIndex) co_return std::move(response.body);
  if (response.status != net::status::kOk && net::may_pass(response.status)) {
    throw refusal_error(response, reference.name());
  }
  // The registry has no such API: what pushes to it keeps the index under a tag.
  std::string tag = subject.string();
  tag.replace(tag.find(':'), 1, "-");
  RegistryRequest by_tag{.url = repository_url(reference) + "/manifests/" + tag,
                         .what = "manifest " + tag,
                         .accept = std::string(kOciIndex),
                         .max_body_bytes = kMaxManifestBytes};
  response = co_await send(reference, std::move(by_tag));
  if (response.status == net::status::kNotFound) co_return std::nullopt;
  if (response.status != net::status::kOk) throw refusal_error(response, reference.name());
  co_return std::move(response.body);
}

base::Awaitable<std::vector<Descriptor>> RegistryClient::referrers(ImageReference reference, Digest subject) {
  const auto executor = co_await asio::this_coro::executor;
  const auto attempt = [&] { return fetch_referrers(reference, subject); };
  const std::optional<std::string> bytes = co_await base::retry(executor, limits_.retry, attempt);
  std::vector<Descriptor> found;
  if (!bytes) co_return found;
  const ImageIndex index = parse_index(*bytes, kOciIndex);
  for (const IndexEntry& entry : index.manifests) {
    if (found.size() == kMaxReferrers) break;
    if (is_manifest(entry.media_type)) found.push_back(entry.descriptor());
  }
  co_return found;
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
  RegistryRequest request{
      .url = repository_url(reference) + "/blobs/" + wanted.digest.string(),
      .what = "blob " + wanted.digest.string(),
      .max_body_bytes = std::max<std::size_t>(wanted.size, kMaxRefusalBytes),
      .take = [&blob](const HttpResponse& head, ByteView bytes) { return blob.write(head, bytes); }};
  if (position > 0) request.range = "bytes=" + std::to_string(position) + "-";
  const HttpResponse response = co_await send(reference, std::move(request));
  if (response.status != net::status::kOk && response.status != net::status::kPartialContent) {
    const RegistryError refusal = refusal_error(response, wanted.digest.string());
    const bool refuses_range = position > 0 && may_refuse_a_range(response.status);
    if (!refuses_range) throw RegistryError(refusal);
    blob.start_over();
    throw RegistryError(refusal.what(), response.status, base::Transience::kMayPass);
  }
  if (response.status == net::status::kPartialContent && !blob.has_all()) {
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

base::Awaitable<HttpResponse> RegistryClient::send(const ImageReference& reference, RegistryRequest request) {
  std::string authorization = authorizer_.authorization(reference);
  RegistryAnswer first = co_await transport_.get(request, std::move(authorization));
  // A challenge from elsewhere is not answered: the registry's credential is for the registry.
  if (first.response.status != net::status::kUnauthorized || !first.is_from_origin) co_return std::move(first.response);
  authorization = co_await authorizer_.authorize(reference, first.response);
  RegistryAnswer second = co_await transport_.get(std::move(request), std::move(authorization));
  co_return std::move(second.response);
}

}  // namespace oci
