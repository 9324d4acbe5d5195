#include "measure/uefi/signature_database.h"

#include <string>

#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/allocations.h"
#include "tests/unit/support/boot_log_writer.h"

namespace {

using measure::SignatureDatabase;
using test::kCertSha256Guid;
using test::kCertX509Guid;
using test::signature_list;

constexpr std::size_t kListSizeOffset = 16;
constexpr std::size_t kHeaderSizeOffset = 20;
constexpr std::size_t kSignatureSizeOffset = 24;

SignatureDatabase parse(const std::string& bytes) { return SignatureDatabase::parse(base::view_of(bytes)); }

std::string refusal_of(const std::string& bytes) {
  try {
    parse(bytes);
    return "accepted";
  } catch (const base::InvalidInput& error) {
    return error.what();
  }
}

/// One list with a certificate of four bytes: 48 bytes, signatures of 20.
std::string list_with(std::size_t offset, unsigned char value) {
  std::string list = signature_list(kCertX509Guid, {"cert"});
  list[offset] = static_cast<char>(value);
  return list;
}

std::string repeated(const std::string& text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("signature lists are read to their last byte") {
  const auto database = parse(signature_list(kCertX509Guid, {"one", "two"}) +
                              signature_list(kCertSha256Guid, {std::string(32, 'h')}, "header") +
                              signature_list(kCertX509Guid, {"third"}));
  REQUIRE(database.certificates.size() == 3);
  CHECK(database.certificates[0] == base::to_bytes("one"));
  CHECK(database.certificates[1] == base::to_bytes("two"));
  CHECK(database.certificates[2] == base::to_bytes("third"));
  CHECK(database.others == 1);
  CHECK(parse("").certificates.empty());
  CHECK(parse(signature_list(kCertX509Guid, {})).certificates.empty());
}

TEST_CASE("signature lists whose lengths do not fit are refused") {
  const std::string list = signature_list(kCertX509Guid, {"cert"});
  REQUIRE(list.size() == 48);
  CHECK(refusal_of(list) == "accepted");
  for (std::size_t size = 1; size < list.size(); ++size) CHECK(refusal_of(list.substr(0, size)) != "accepted");
  CHECK(refusal_of(list + "x") != "accepted");
  CHECK_THAT(refusal_of(list_with(kListSizeOffset, 27)), ContainsSubstring("smaller than its header"));
  CHECK_THAT(refusal_of(list_with(kListSizeOffset, 47)), ContainsSubstring("cut off"));
  CHECK_THAT(refusal_of(list_with(kListSizeOffset, 49)), ContainsSubstring("needs 21 bytes, 20 are left"));
  CHECK_THAT(refusal_of(list_with(kListSizeOffset + 3, 0xff)), ContainsSubstring("are left"));
  CHECK_THAT(refusal_of(list_with(kSignatureSizeOffset, 0)), ContainsSubstring("smaller than its owner's GUID"));
  CHECK_THAT(refusal_of(list_with(kSignatureSizeOffset, 16)), ContainsSubstring("smaller than its owner's GUID"));
  CHECK_THAT(refusal_of(list_with(kSignatureSizeOffset, 19)), ContainsSubstring("cut off"));
  CHECK_THAT(refusal_of(list_with(kSignatureSizeOffset, 21)), ContainsSubstring("cut off"));
  CHECK_THAT(refusal_of(list_with(kHeaderSizeOffset, 1)), ContainsSubstring("has a signature header"));
  std::string hash = signature_list(kCertSha256Guid, {std::string(32, 'h')});
  CHECK(refusal_of(hash) == "accepted");
  hash[kHeaderSizeOffset] = 49;  // one byte more than the rest of the list
  CHECK_THAT(refusal_of(hash), ContainsSubstring("signature header"));
}

TEST_CASE("signature lists are limited in number and in signatures") {
  const std::string list = signature_list(kCertX509Guid, {"c"});
  CHECK(refusal_of(repeated(list, measure::kMaxSignatureLists - 1)) == "accepted");
  CHECK(refusal_of(repeated(list, measure::kMaxSignatureLists)) == "accepted");
  CHECK_THAT(refusal_of(repeated(list, measure::kMaxSignatureLists + 1)), ContainsSubstring("too many lists"));
  const auto hashes = [](std::size_t count) {
    return signature_list(kCertSha256Guid, std::vector<std::string>(count, std::string(32, 'h')));
  };
  CHECK(refusal_of(hashes(measure::kMaxSignatures - 1)) == "accepted");
  CHECK(refusal_of(hashes(measure::kMaxSignatures)) == "accepted");
  CHECK_THAT(refusal_of(hashes(measure::kMaxSignatures + 1)), ContainsSubstring("too many signatures"));
  CHECK_THAT(refusal_of(hashes(measure::kMaxSignatures) + list), ContainsSubstring("too many signatures"));
}

TEST_CASE("reading a signature database is linear in its signatures") {
  const auto database_of = [](std::size_t count) {
    const std::vector<std::string> entries(count, "a certificate of more bytes than a text keeps in itself");
    return base::to_bytes(test::signature_list(test::kCertX509Guid, entries));
  };
  CHECK(test::growth(1000, database_of,
                     [](const base::Bytes& bytes) { (void)measure::SignatureDatabase::parse(bytes); }) < test::kLinear);
}
