#include "oci/distribution/checked_blob.h"

#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "oci/distribution/registry_error.h"

namespace oci {
namespace {

/// The first position of "bytes 100-199/200".
std::optional<std::uint64_t> first_position(std::string_view content_range) {
  constexpr std::string_view kUnit = "bytes ";
  if (!content_range.starts_with(kUnit)) return std::nullopt;
  content_range.remove_prefix(kUnit.size());
  std::uint64_t position = 0;
  const char* const end = content_range.data() + content_range.size();
  const auto [behind, error] = std::from_chars(content_range.data(), end, position);
  if (error != std::errc() || behind == end || *behind != '-') return std::nullopt;
  return position;
}

/// What becomes of the bytes here is no reason to ask the registry for them again.
base::Awaitable<void> for_good(base::Awaitable<void> step) {
  try {
    co_await std::move(step);
  } catch (base::Error& failure) {
    failure.set_transience(base::Transience::kPermanent);
    throw;
  }
}

}  // namespace

base::Awaitable<void> CheckedBlob::begin(const net::HttpResponse& head) {
  has_begun_ = true;
  std::uint64_t start = 0;
  if (head.status == net::status::kPartialContent) {
    const auto position = first_position(head.header("Content-Range"));
    if (!position || (*position != 0 && *position != received_)) {
      start_over();
      throw RegistryError(wanted_->digest.string() + ": the registry sends another range than was asked for",
                          head.status, base::Transience::kMayPass);
    }
    start = *position;
  }
  begins_anew_ = start != received_;
  if (!begins_anew_) co_return;
  co_await for_good(sink_->restart());
  hash_ = base::Sha256();
  received_ = 0;
}

base::Awaitable<void> CheckedBlob::write(const net::HttpResponse& head, base::ByteView bytes) {
  if (!has_begun_) co_await begin(head);
  received_ += bytes.size();
  if (!begins_anew_) added_ += bytes.size();
  if (received_ > wanted_->size) {
    throw RegistryError(wanted_->digest.string() + ": longer than its descriptor says", net::status::kOk);
  }
  hash_.update(bytes);
  co_await for_good(sink_->write(bytes));
}

void CheckedBlob::finish() {
  if (received_ != wanted_->size) {
    throw RegistryError(wanted_->digest.string() + ": shorter than its descriptor says", net::status::kOk);
  }
  if (Digest::from_sha256(hash_.finish()) != wanted_->digest) {
    throw RegistryError(wanted_->digest.string() + ": the content has another digest", net::status::kOk);
  }
}

}  // namespace oci
