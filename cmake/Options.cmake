# Compiler and linker settings of every target of this project.

set(CS_SANITIZE "" CACHE STRING "Sanitizers to build with, such as address,undefined or thread")
option(CS_FUZZ "Build the fuzz targets (needs clang)" OFF)
# For contributors and for what has to pass before a change lands. A compiler that nobody has tried yet must not keep
# anybody from building.
option(CS_WARNINGS_ARE_ERRORS "Stop at a warning" OFF)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

add_compile_options(-fstack-protector-strong -fstack-clash-protection)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|i.86)$")
  add_compile_options(-fcf-protection)
endif()
add_link_options(-Wl,-z,relro,-z,now)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  # As Debian compiles. Against the bare operations of the same run -O3 is no faster, and it takes longer to compile.
  set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")
  set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
  add_compile_definitions(_FORTIFY_SOURCE=2 _GLIBCXX_ASSERTIONS)
endif()
if(CS_SANITIZE)
  add_compile_options(-fsanitize=${CS_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${CS_SANITIZE})
endif()
if(CS_FUZZ)
  # What the fuzz targets reach is watched for coverage; libFuzzer's main() comes in with the targets only.
  # Of coroutines older clang makes no valid code with -fsanitize=function ("difference across sections").
  add_compile_options(-fsanitize=fuzzer-no-link -fno-sanitize=function)
endif()

# Warnings for our own code only; generated code and headers of others are not ours to mend.
add_library(cs_warnings INTERFACE)
target_compile_options(cs_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
                                             -Wnon-virtual-dtor -Wold-style-cast)
if(CS_WARNINGS_ARE_ERRORS)
  target_compile_options(cs_warnings INTERFACE -Werror)
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Not -Wnull-dereference: GCC 12 sees some in Asio's executors and in std::vector wherever they are inlined.
  target_compile_options(cs_warnings INTERFACE -Wduplicated-branches -Wduplicated-cond -Wlogical-op -Wcast-align)
  # GCC, up to 14 at least, sees frames of coroutines that Asio would not free as it made them, where there are none, as
  # soon as it optimises.
  target_compile_options(cs_warnings INTERFACE -Wno-mismatched-new-delete)
  if(CMAKE_UNITY_BUILD)
    # A type in an unnamed namespace is fine in a .cpp file, and GCC takes a file that another one includes for a header.
    target_compile_options(cs_warnings INTERFACE -Wno-subobject-linkage)
  endif()
  if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # The same for overlapping copies in string concatenations (its bug 105651) and unset members in aggregates.
    target_compile_options(cs_warnings INTERFACE -Wno-restrict -Wno-maybe-uninitialized)
  endif()
endif()

# cs_show_folder(TARGET FOLDER): who links the target may include "FOLDER/file.h", and nobody else: the folder is seen
# through a directory that holds nothing but a link to it.
function(cs_show_folder target folder)
  set(shown ${CMAKE_BINARY_DIR}/include/${folder})
  file(MAKE_DIRECTORY ${shown})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/${folder} ${shown}/${folder} SYMBOLIC)
  target_include_directories(${target} PUBLIC ${shown})
endfunction()

# cs_library(NAME SOURCES... LINK PUBLIC_LIBRARIES... PRIVATE PRIVATE_LIBRARIES...)
function(cs_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;PRIVATE" ${ARGN})
  add_library(cs_${name} STATIC ${ARG_SOURCES})
  file(RELATIVE_PATH folder ${CMAKE_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  cs_show_folder(cs_${name} ${folder})
  target_link_libraries(cs_${name} PUBLIC ${ARG_LINK} PRIVATE ${ARG_PRIVATE} cs_warnings)
endfunction()
