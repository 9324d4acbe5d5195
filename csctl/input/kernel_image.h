#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "base/bytes.h"

namespace csctl {

inline constexpr std::size_t kMaxKernelImageBytes = std::size_t{512} << 20U;
/// What UEFI firmware and systemd's stub take.
inline constexpr std::size_t kMaxSections = 96;

/// The parts of a unified kernel image: the sections of a PE32+ program (Microsoft PE and COFF specification; UAPI.5).
struct KernelImage {
  std::map<std::string, base::ByteView> sections;  ///< by name, each as it is loaded; of the bytes that were parsed
  /// SHA-256 of all but the checksum and the signatures (Windows Authenticode Portable Executable Signature Format):
  /// what firmware measures of it.
  base::Bytes authenticode_sha256;

  /// Throws InvalidInput(`subject`...), also for sections that do not follow on each other in the file, as those of
  /// image builds do: whether the digest covers what lies between depends on who computes it.
  static KernelImage parse(base::ByteView bytes, const std::string& subject);
};

/// Whether the bytes begin as a program of DOS, as every PE image does.
bool may_be_kernel_image(base::ByteView bytes);

}  // namespace csctl
