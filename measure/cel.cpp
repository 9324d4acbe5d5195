#include "measure/cel.h"

#include <string>

#include "base/error.h"

namespace measure {
namespace {

using base::ByteReader;
using base::Bytes;
using base::ByteView;
using base::InvalidInput;

constexpr std::uint8_t kRecordNumberType = 0;
constexpr std::uint8_t kDigestsType = 3;
constexpr std::uint8_t kCosContentType = 80;
constexpr std::size_t kRecordNumberSize = 8;
constexpr std::size_t kRegisterIndexSize = 1;

struct Tlv {
  std::uint8_t type;
  ByteView value;
};

void append_tlv(Bytes& to, std::uint8_t type, ByteView value) {
  base::append_u8(to, type);
  base::append_u32_be(to, static_cast<std::uint32_t>(value.size()));
  base::append(to, value);
}

Tlv read_tlv(ByteReader& reader, std::string_view field) {
  const std::uint8_t type = reader.u8(field);
  const std::uint32_t length = reader.u32_be(field);
  return {type, reader.take(length, field)};
}

std::string where(std::uint64_t record) { return "event log record " + std::to_string(record); }

/// The TLV type of a digest is the low byte of its TPM algorithm.
std::uint8_t digest_type(HashAlgorithm algorithm) { return static_cast<std::uint8_t>(algorithm); }

DigestSet decode_digests(ByteView bytes, const std::string& record) {
  DigestSet digests;
  ByteReader reader(bytes, record);
  while (!reader.empty()) {
    const Tlv tlv = read_tlv(reader, "digest");
    const auto algorithm = hash_algorithm_of(tlv.type);
    if (!algorithm) throw InvalidInput(record, "digest of unknown algorithm " + std::to_string(tlv.type));
    if (tlv.value.size() != digest_size(*algorithm)) {
      throw InvalidInput(
          record, std::string(name_of(*algorithm)) + " digest of " + std::to_string(tlv.value.size()) + " bytes");
    }
    if (!digests.insert(Digest(*algorithm, tlv.value))) {
      throw InvalidInput(record, "two " + std::string(name_of(*algorithm)) + " digests");
    }
  }
  if (digests.empty()) throw InvalidInput(record, "no digests");
  return digests;
}

CelRecord decode_record(ByteReader& reader, ByteView log, std::uint64_t expected_number) {
  const std::string record_name = where(expected_number);
  CelRecord record;

  const Tlv number = read_tlv(reader, "record number");
  if (number.type != kRecordNumberType || number.value.size() != kRecordNumberSize) {
    throw InvalidInput(record_name, "does not begin with a record number");
  }
  record.number = ByteReader(number.value, record_name).u64_be("record number");
  if (record.number != expected_number) {
    throw InvalidInput(record_name, "has record number " + std::to_string(record.number));
  }

  const Tlv index = read_tlv(reader, "register index");
  if (index.type != static_cast<std::uint8_t>(RegisterKind::kPcr) &&
      index.type != static_cast<std::uint8_t>(RegisterKind::kCcmr)) {
    throw InvalidInput(record_name, "register index of unknown type " + std::to_string(index.type));
  }
  if (index.value.size() != kRegisterIndexSize) throw InvalidInput(record_name, "register index is not one byte");
  record.register_kind = static_cast<RegisterKind>(index.type);
  record.register_index = index.value[0];

  const Tlv digests = read_tlv(reader, "digests");
  if (digests.type != kDigestsType) throw InvalidInput(record_name, "digests are missing");
  record.digests = decode_digests(digests.value, record_name);

  const std::size_t content_begin = reader.offset();
  read_tlv(reader, "content");
  const ByteView content = log.subspan(content_begin, reader.offset() - content_begin);
  record.content.assign(content.begin(), content.end());
  return record;
}

}  // namespace

Bytes encode_content(const Event& event) {
  Bytes nested;
  append_tlv(nested, static_cast<std::uint8_t>(event.type), event.content);
  Bytes content;
  append_tlv(content, kCosContentType, nested);
  return content;
}

Bytes encode_record(const CelRecord& record) {
  Bytes number;
  base::append_u64_be(number, record.number);
  Bytes digests;
  for (const Digest& digest : record.digests) append_tlv(digests, digest_type(digest.algorithm()), digest.bytes());
  Bytes encoded;
  append_tlv(encoded, kRecordNumberType, number);
  append_tlv(encoded, static_cast<std::uint8_t>(record.register_kind), ByteView(&record.register_index, 1));
  append_tlv(encoded, kDigestsType, digests);
  base::append(encoded, record.content);
  return encoded;
}

std::vector<CelRecord> decode_cel(ByteView log) {
  if (log.size() > kMaxCelBytes) throw InvalidInput("event log", "is too long");
  ByteReader reader(log, "event log");
  std::vector<CelRecord> records;
  while (!reader.empty()) {
    records.push_back(decode_record(reader, log, records.size()));
    const CelRecord& first = records.front();
    const CelRecord& last = records.back();
    if (last.register_kind != first.register_kind || last.register_index != first.register_index) {
      throw InvalidInput(where(last.number), "is of another register than the first record");
    }
  }
  return records;
}

Event event_of(const CelRecord& record) {
  const std::string name = where(record.number);
  ByteReader outer(record.content, name);
  const Tlv content = read_tlv(outer, "content");
  outer.expect_end();
  if (content.type != kCosContentType) {
    throw InvalidInput(name, "content type " + std::to_string(content.type) + " is not a COS event");
  }
  ByteReader inner(content.value, name);
  const Tlv event = read_tlv(inner, "event");
  inner.expect_end();
  if (event.type > kLastEventType) throw InvalidInput(name, "unknown COS event type " + std::to_string(event.type));
  return {static_cast<EventType>(event.type), Bytes(event.value.begin(), event.value.end())};
}

Digest replay_cel(std::span<const CelRecord> records, HashAlgorithm algorithm) {
  Digest value = Digest::zero(algorithm);
  for (const CelRecord& record : records) {
    const Digest* digest = record.digests.find(algorithm);
    if (digest == nullptr) {
      throw InvalidInput(where(record.number), "has no " + std::string(name_of(algorithm)) + " digest");
    }
    value = value.extended(*digest);
  }
  return value;
}

void check_digests(const CelRecord& record) {
  for (const Digest& digest : record.digests) {
    if (digest == Digest::of(digest.algorithm(), record.content)) continue;
    throw InvalidInput(where(record.number),
                       std::string(name_of(digest.algorithm())) + " digest is not that of its content");
  }
}

}  // namespace measure
