#pragma once

#include <array>
#include <cstdint>

namespace verifier {

// What one image measures on every machine (TCG PC Client Platform Firmware Profile, section 3.3.4, and Linux TPM PCR
// registry). Left out: 1, 3, 5 and 6 hold the machine's own configuration, boot order and partition table.

inline constexpr std::uint32_t kFirmwarePcr = 0;
inline constexpr std::uint32_t kDriverPcr = 2;       ///< drivers from outside the firmware
inline constexpr std::uint32_t kApplicationPcr = 4;  ///< boot loader and kernel
inline constexpr std::uint32_t kKeysPcr = 7;         ///< Secure Boot keys, and who approved what
inline constexpr std::uint32_t kGrubCommandPcr = 8;  ///< boot loader commands
inline constexpr std::uint32_t kLoaderPcr = 9;       ///< what the boot loader read, load options, initial RAM disk
inline constexpr std::uint32_t kUnifiedKernelImagePcr = 11;  ///< the parts of a unified kernel image
inline constexpr std::uint32_t kParametersPcr = 12;          ///< credentials and overrides given to one

inline constexpr std::array kImagePcrs = {kFirmwarePcr,    kDriverPcr, kApplicationPcr,        kKeysPcr,
                                          kGrubCommandPcr, kLoaderPcr, kUnifiedKernelImagePcr, kParametersPcr};

}  // namespace verifier
