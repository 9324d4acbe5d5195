#include "measure/boot_log.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace measure {
namespace {

using base::ByteReader;
using base::Bytes;
using base::ByteView;
using base::InvalidInput;

constexpr std::string_view kSubject = "boot event log";
constexpr std::string_view kSpecIdSignature("Spec ID Event03\0", 16);
constexpr std::string_view kStartupLocalitySignature("StartupLocality\0", 16);
constexpr std::uint32_t kMaxAlgorithms = 16;
constexpr std::size_t kMaxDigestSize = 64;

struct AlgorithmSize {
  std::uint16_t id;
  std::uint16_t size;
};

std::string where(std::size_t event) { return "boot event " + std::to_string(event); }

bool starts_with(ByteView bytes, std::string_view prefix) { return base::text_of(bytes).starts_with(prefix); }

/// TCG_EfiSpecIdEvent: which algorithms each later event has digests of, and how long they are.
std::vector<AlgorithmSize> decode_spec_id(ByteView data) {
  ByteReader reader(data, "Spec ID event");
  reader.take(kSpecIdSignature.size(), "signature");
  reader.u32_le("platform class");
  reader.take(4, "version");  // minor, major, errata, size of UINTN
  const std::uint32_t count = reader.u32_le("number of algorithms");
  if (count == 0 || count > kMaxAlgorithms) {
    throw InvalidInput("Spec ID event", "names " + std::to_string(count) + " algorithms");
  }
  std::vector<AlgorithmSize> sizes;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint16_t id = reader.u16_le("algorithm");
    const std::uint16_t size = reader.u16_le("digest size");
    const auto known = hash_algorithm_of(id);
    if (size == 0 || size > kMaxDigestSize || (known && digest_size(*known) != size)) {
      throw InvalidInput("Spec ID event",
                         "gives algorithm " + std::to_string(id) + " digests of " + std::to_string(size) + " bytes");
    }
    sizes.push_back({id, size});
  }
  const std::uint8_t vendor_info = reader.u8("vendor info size");
  reader.take(vendor_info, "vendor info");
  reader.expect_end();
  return sizes;
}

Bytes take_data(ByteReader& reader) {
  const std::uint32_t size = reader.u32_le("event size");
  const ByteView data = reader.take(size, "event data");
  return {data.begin(), data.end()};
}

std::uint32_t take_pcr(ByteReader& reader, std::size_t number) {
  const std::uint32_t pcr = reader.u32_le("PCR index");
  if (pcr > kMaxPcr) throw InvalidInput(where(number), "PCR " + std::to_string(pcr) + " does not exist");
  return pcr;
}

/// TCG_PCClientPCREvent, the form with one SHA-1 digest.
BootEvent decode_sha1_event(ByteReader& reader, std::size_t number) {
  BootEvent event;
  event.pcr = take_pcr(reader, number);
  event.type = reader.u32_le("event type");
  const ByteView digest = reader.take(digest_size(HashAlgorithm::kSha1), "digest");
  event.digests.emplace(HashAlgorithm::kSha1, Bytes(digest.begin(), digest.end()));
  event.data = take_data(reader);
  return event;
}

/// TCG_PCR_EVENT2.
BootEvent decode_agile_event(ByteReader& reader, std::size_t number, const std::vector<AlgorithmSize>& sizes) {
  BootEvent event;
  event.pcr = take_pcr(reader, number);
  event.type = reader.u32_le("event type");
  const std::uint32_t count = reader.u32_le("number of digests");
  if (count > sizes.size()) throw InvalidInput(where(number), "has " + std::to_string(count) + " digests");
  std::vector<std::uint16_t> seen;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint16_t id = reader.u16_le("digest algorithm");
    const auto size = std::ranges::find(sizes, id, &AlgorithmSize::id);
    if (size == sizes.end())
      throw InvalidInput(where(number), "digest algorithm " + std::to_string(id) + " was not announced");
    if (std::ranges::find(seen, id) != seen.end())
      throw InvalidInput(where(number), "has two digests of one algorithm");
    seen.push_back(id);
    const ByteView digest = reader.take(size->size, "digest");
    if (const auto known = hash_algorithm_of(id)) event.digests.emplace(*known, Bytes(digest.begin(), digest.end()));
  }
  event.data = take_data(reader);
  return event;
}

}  // namespace

bool BootEvent::data_is_measured() const {
  return std::ranges::any_of(digests, [&](const auto& entry) { return entry.second == hash(entry.first, data); });
}

BootLog decode_boot_log(ByteView log) {
  if (log.size() > kMaxBootLogBytes) throw InvalidInput(kSubject, "is too long");
  BootLog result;
  ByteReader reader(log, kSubject);
  if (reader.empty()) return result;
  BootEvent first = decode_sha1_event(reader, 0);
  std::optional<std::vector<AlgorithmSize>> agile;
  if (first.type == boot_event::kNoAction && starts_with(first.data, kSpecIdSignature))
    agile = decode_spec_id(first.data);
  result.events.push_back(std::move(first));
  while (!reader.empty()) {
    const std::size_t number = result.events.size();
    BootEvent event = agile ? decode_agile_event(reader, number, *agile) : decode_sha1_event(reader, number);
    if (event.type == boot_event::kNoAction && event.pcr == 0 && starts_with(event.data, kStartupLocalitySignature)) {
      if (event.data.size() != kStartupLocalitySignature.size() + 1) {
        throw InvalidInput(where(number), "StartupLocality is not 17 bytes");
      }
      result.startup_locality = event.data.back();
    }
    result.events.push_back(std::move(event));
  }
  return result;
}

PcrValues BootLog::replay(HashAlgorithm algorithm) const {
  PcrValues values;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const BootEvent& event = events[i];
    if (event.type == boot_event::kNoAction) continue;
    const auto digest = event.digests.find(algorithm);
    if (digest == event.digests.end()) {
      throw InvalidInput(where(i), "has no " + std::string(name_of(algorithm)) + " digest");
    }
    auto [value, is_new] = values.try_emplace(event.pcr, digest_size(algorithm), std::uint8_t{0});
    if (is_new && event.pcr == 0) value->second.back() = startup_locality;
    value->second = extended(algorithm, value->second, digest->second);
  }
  return values;
}

}  // namespace measure
