# Programs in Go. Their modules come from the network, so no default target builds them, but the targets that list them
# and the tests ahead of those that need them.

find_program(CS_GO go)
set(CS_GO_VERSION 0)
if(CS_GO)
  execute_process(COMMAND ${CS_GO} env GOVERSION OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  string(REGEX MATCH "[0-9]+\\.[0-9]+" CS_GO_VERSION "${version}")
endif()

# Builds a package of the Go module in this folder into the folder of programs, and has it in GROUP_programs. The module's
# tests become a test of CTest. Does nothing where Go is missing or older than the module says.
function(add_go_program name package group)
  set(module ${CMAKE_CURRENT_SOURCE_DIR})
  file(STRINGS ${module}/go.mod oldest REGEX "^go [0-9]")
  string(REGEX MATCH "[0-9]+\\.[0-9]+" oldest "${oldest}")
  if(CS_GO_VERSION VERSION_LESS oldest)
    message(STATUS "Left out: ${name}, which takes Go ${oldest}")
    return()
  endif()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${module}/*.go)
  set(program ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/${name})
  add_custom_command(OUTPUT ${program}
                     COMMAND ${CMAKE_COMMAND} -E env CGO_ENABLED=0 ${CS_GO} build -trimpath -buildvcs=false
                             "-ldflags=-s -w" -o ${program} ${package}
                     WORKING_DIRECTORY ${module}
                     DEPENDS ${sources} ${module}/go.mod ${module}/go.sum
                     COMMENT "Building the Go program ${name}"
                     VERBATIM)
  add_custom_target(${name} DEPENDS ${program})
  add_custom_target(${name}_fetched COMMAND sh -c "\"${CS_GO}\" list -deps ${package} > /dev/null"
                    WORKING_DIRECTORY ${module} VERBATIM)
  set_property(GLOBAL APPEND PROPERTY CS_GO_${group} ${name})
  if(sources MATCHES "_test\\.go")
    set_property(GLOBAL APPEND PROPERTY CS_GO_MODULES ${module})
  endif()
endfunction()

# What a test runs that takes the network: `fetch` gets what it needs from there, and where that fails the test is skipped,
# unless nothing may be; then `command`.
function(cs_add_fetching_test name folder fetch command)
  set(skip "echo 'what it takes can not be had from the network'; [ -z \"$CS_REQUIRE_SERVICES\" ] || exit 1; exit 77")
  add_test(NAME ${name} COMMAND sh -c "${fetch} || { ${skip}; }; ${command}" WORKING_DIRECTORY ${folder})
  set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77 RESOURCE_LOCK machine TIMEOUT 1800)
endfunction()

# The target GROUP_programs, of Go programs and whatever else, and the test GROUP/programs, which builds it as the fixture
# GROUP_programs.
function(cs_programs group)
  get_property(go_programs GLOBAL PROPERTY CS_GO_${group})
  list(TRANSFORM go_programs APPEND _fetched OUTPUT_VARIABLE fetched)
  add_custom_target(${group}_fetched DEPENDS clouds ${fetched})
  add_custom_target(${group}_programs DEPENDS clouds ${ARGN} ${go_programs})
  set(build "\"${CMAKE_COMMAND}\" --build \"${CMAKE_BINARY_DIR}\" --target")
  cs_add_fetching_test(${group}/programs ${CMAKE_BINARY_DIR} "${build} ${group}_fetched" "${build} ${group}_programs")
  set_tests_properties(${group}/programs PROPERTIES FIXTURES_SETUP ${group}_programs LABELS ${group} COST 1500)
endfunction()
