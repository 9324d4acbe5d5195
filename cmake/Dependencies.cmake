# Third-party parts, all from the distribution's packages.

set(CMAKE_THREAD_PREFER_PTHREAD ON)
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS url)
find_package(OpenSSL 3 REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(tss2_mu REQUIRED IMPORTED_TARGET tss2-mu)  # formats alone
pkg_check_modules(tss2 REQUIRED IMPORTED_TARGET tss2-esys tss2-mu tss2-tctildr tss2-rc)
pkg_check_modules(cjose REQUIRED IMPORTED_TARGET cjose)
pkg_check_modules(grpc REQUIRED IMPORTED_TARGET grpc++ protobuf)
pkg_check_modules(p11_kit REQUIRED IMPORTED_TARGET p11-kit-1)
pkg_check_modules(nftables REQUIRED IMPORTED_TARGET libnftables)
pkg_check_modules(systemd REQUIRED IMPORTED_TARGET libsystemd)

# Asio and Beast are compiled once, in base/asio_impl.cpp.
add_library(cs_boost INTERFACE)
target_link_libraries(cs_boost INTERFACE Boost::headers Boost::url OpenSSL::SSL OpenSSL::Crypto Threads::Threads)
target_compile_definitions(cs_boost INTERFACE BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
                                              BOOST_ASIO_NO_DEPRECATED)
