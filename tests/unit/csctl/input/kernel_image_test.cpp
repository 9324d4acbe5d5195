#include "csctl/input/kernel_image.h"

#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/csctl/input/pe_image.h"

using csctl::KernelImage;
using test::PeImage;

namespace {

PeImage image_of_two() { return PeImage({{".cmdline", "quiet"}, {".linux", "kernel"}}); }

std::string refusal_of_image(const base::Bytes& bytes) {
  try {
    KernelImage::parse(bytes, "image.efi");
    return "accepted";
  } catch (const base::InvalidInput& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("A kernel image's parts are its sections, as long as they are loaded") {
  PeImage pe = image_of_two();
  pe.put32(PeImage::kSectionTable + 40 + 8, 4000);  // larger in memory than in the file
  const KernelImage image = KernelImage::parse(pe.bytes, "image.efi");
  REQUIRE(image.sections.size() == 2);
  CHECK(base::text_of(image.sections.at(".cmdline")) == "quiet");
  CHECK(image.sections.at(".linux").size() == 512);
  CHECK(csctl::may_be_kernel_image(pe.bytes));
  CHECK_FALSE(csctl::may_be_kernel_image(base::to_bytes("{}")));
}

TEST_CASE("A kernel image's digest tells everything but checksum and signatures") {
  const base::Bytes digest = KernelImage::parse(image_of_two().bytes, "image.efi").authenticode_sha256;
  PeImage pe = image_of_two();
  pe.put32(PeImage::kOptionalHeader + 64, 0x12345678);
  pe.sign("signature");
  CHECK(KernelImage::parse(pe.bytes, "image.efi").authenticode_sha256 == digest);
  for (const std::size_t place : {std::size_t{0x30}, PeImage::kSectionTable - 1, std::size_t{0x400}}) {
    PeImage other = image_of_two();
    other.bytes.at(place) ^= 1U;
    CHECK(KernelImage::parse(other.bytes, "image.efi").authenticode_sha256 != digest);
  }
}

TEST_CASE("What is no kernel image is refused with what it lacks") {
  const base::Bytes whole = image_of_two().bytes;
  for (std::size_t size = 0; size < 0x400; ++size) {
    CHECK(refusal_of_image(base::Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))) !=
          "accepted");
  }
  CHECK(refusal_of_image(base::to_bytes("ELF")) == "image.efi: is no PE image");
  const auto refusal_with = [](std::size_t place, std::uint16_t value) {
    PeImage pe = image_of_two();
    pe.put16(place, value);
    return refusal_of_image(pe.bytes);
  };
  CHECK(refusal_with(PeImage::kOptionalHeader, 0x10b) == "image.efi: is no PE32+ image");
  CHECK(refusal_with(PeImage::kPe + 6, 97) == "image.efi: has too many sections");
  CHECK(refusal_with(PeImage::kOptionalHeader + 108, 4) == "image.efi: has no place for signatures");
  CHECK(refusal_with(PeImage::kCertificateDirectory + 4, 1) == "image.efi: does not end with its signatures");
  CHECK(refusal_of_image(PeImage({{".linux", "a"}, {".linux", "b"}}).bytes) == "image.efi: has section .linux twice");
  PeImage apart = image_of_two();
  apart.put32(PeImage::kSectionTable + 40 + 20, 0x400);  // the second where the first is
  CHECK(refusal_of_image(apart.bytes) == "image.efi: section .linux does not begin where the one before ends");
  PeImage in_headers = image_of_two();
  in_headers.put32(PeImage::kCertificateDirectory, 0x10);
  in_headers.put32(PeImage::kCertificateDirectory + 4, static_cast<std::uint32_t>(in_headers.bytes.size() - 0x10));
  CHECK(refusal_of_image(in_headers.bytes) == "image.efi: has signatures in its headers");
}
