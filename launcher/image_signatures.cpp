#include "launcher/image_signatures.h"

#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "base/within.h"
#include "net/http_client.h"
#include "oci/distribution/registry_client.h"
#include "oci/reference.h"

namespace launcher {
namespace {

/// One try and three more, as the public launcher has it.
constexpr base::RetryPolicy kSearchRetry{.max_attempts = 4,
                                         .first_delay = base::Milliseconds{300},
                                         .multiplier = 1.0,
                                         .max_delay = base::Milliseconds{300},
                                         .max_retry_after = base::Milliseconds{3000}};

void log_failure(const std::string& repository, const std::string& reason) {
  base::log::warning("Failed to fetch container image signatures from repo", {{"repo", repository}, {"error", reason}});
}

}  // namespace

ImageSignatures::ImageSignatures(asio::any_io_executor executor, RegistryAccess access,
                                 const std::vector<std::string>& repositories, oci::Digest image)
    : executor_(std::move(executor)), access_(std::move(access)), image_(std::move(image)), one_search_(executor_, 1) {
  for (const std::string& name : repositories) repositories_.push_back({.name = name});
}

base::Awaitable<std::vector<evidence::ImageSignature>> ImageSignatures::get(bool refresh) {
  const auto place = co_await one_search_.enter(2 * kSearchBound);
  if (place && (refresh || !searched_)) co_await search();
  co_return known();
}

base::Awaitable<void> ImageSignatures::search() {
  base::TaskGroup searches(executor_);
  for (Repository& repository : repositories_) searches.spawn(search(repository));
  co_await searches.join();
  searched_ = true;
  base::log::info("Refreshed container image signature cache", {{"count", std::to_string(known().size())}});
}

base::Awaitable<void> ImageSignatures::search(Repository& repository) {
  try {
    auto found = co_await base::within(kSearchBound, find(repository.name));
    if (found) {
      repository.signatures = std::move(*found);
    } else {
      log_failure(repository.name, "it takes too long");
    }
  } catch (const base::Error& error) {
    log_failure(repository.name, error.what());
  }
}

base::Awaitable<std::vector<oci::ImageSignature>> ImageSignatures::find(std::string name) {
  const auto repository = oci::ImageReference::parse(name, "tee-signed-image-repos");
  net::HttpClient http(executor_, access_.roots_for(repository.registry_host()));
  oci::RegistryLimits limits;
  limits.transport.answer_timeout = kSearchBound;
  limits.retry = kSearchRetry;
  oci::RegistryClient registry(
      http, [this](std::string host) { return access_.credentials.of(std::move(host)); }, limits);
  co_return co_await oci::find_image_signatures(registry, repository, image_);
}

std::vector<evidence::ImageSignature> ImageSignatures::known() const {
  std::vector<evidence::ImageSignature> signatures;
  std::size_t bytes = 0;
  for (const Repository& repository : repositories_) {
    for (const oci::ImageSignature& found : repository.signatures) {
      const std::size_t size = found.payload.size() + found.signature.size();
      if (signatures.size() == evidence::kMaxImageSignatures || bytes + size > evidence::kMaxSentSignatureBytes) {
        base::log::warning("image signatures are left out, there are too many of them");
        return signatures;
      }
      bytes += size;
      signatures.push_back({found.payload, found.signature});
    }
  }
  return signatures;
}

}  // namespace launcher
