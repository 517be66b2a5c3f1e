# spillway_module(NAME PUBLIC header... LINKS module-or-library...)
#
# One folder, one namespace, one static library. The folder is made visible under build/ladder/NAME,
# and only there, so that a module that is not in LINKS cannot be included: the compiler does not
# find it. Every module may be included by its PUBLIC headers, config.h and status.h; `tidy` holds
# that. Files named *_test.cc, *_fuzz.cc and *_bench.cc become the module's tests, fuzzers and
# benchmarks.
#
# config.h, its parts *_config.h and their sources, where a module has them, are a small library of
# their own, NAME_config, on base alone: `plan` composes the plan file from them without seeing the
# rest of any module, however high that module stands on the ladder.
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)
find_package(fmt REQUIRED)
find_package(Threads REQUIRED)

function(spillway_module name)
  cmake_parse_arguments(MODULE "" "" "PUBLIC;LINKS;TEST_LINKS" ${ARGN})
  spillway_config(${name})
  set(room ${CMAKE_BINARY_DIR}/ladder/${name})
  file(MAKE_DIRECTORY ${room})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${room}/${name} SYMBOLIC)

  file(GLOB sources CONFIGURE_DEPENDS *.cc */*.cc)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  set(fuzzers ${sources})
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")
  set(benches ${sources})
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")
  list(FILTER sources EXCLUDE REGEX "(_test|_fuzz|_bench|main|[/_]config)\\.cc$")

  if(sources)
    add_library(${name} STATIC ${sources})
    target_include_directories(${name} PUBLIC ${room})
    target_link_libraries(${name} PUBLIC ${MODULE_LINKS} ${config} fmt::fmt)
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${room})
    target_link_libraries(${name} INTERFACE ${MODULE_LINKS} ${config} fmt::fmt)
  endif()
  set_property(TARGET ${name} PROPERTY SPILLWAY_PUBLIC "${MODULE_PUBLIC}")
  set_property(GLOBAL APPEND PROPERTY SPILLWAY_MODULES ${name})

  if(tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE ${name} ${MODULE_TEST_LINKS} GTest::gmock
                                               GTest::gtest_main)
    add_test(NAME ${name} COMMAND ${name}_test)
  endif()
  foreach(source IN LISTS fuzzers)
    spillway_fuzzer(${name} ${source})
  endforeach()
  foreach(source IN LISTS benches)
    get_filename_component(bench ${source} NAME_WE)
    add_executable(${bench} ${source})
    target_link_libraries(${bench} PRIVATE ${name} ${MODULE_TEST_LINKS} benchmark::benchmark_main)
  endforeach()
endfunction()

# Makes NAME_config and sets `config` to it for the caller, or to nothing without a config.h.
function(spillway_config name)
  set(config "" PARENT_SCOPE)
  if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/config.h)
    return()
  endif()
  set(room ${CMAKE_BINARY_DIR}/ladder/${name}_config)
  file(MAKE_DIRECTORY ${room}/${name})
  file(GLOB headers CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} config.h *_config.h)
  foreach(header IN LISTS headers)
    file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR}/${header} ${room}/${name}/${header} SYMBOLIC)
  endforeach()
  file(GLOB sources CONFIGURE_DEPENDS config.cc *_config.cc)
  if(sources)
    add_library(${name}_config STATIC ${sources})
    set(kind PUBLIC)
  else()
    add_library(${name}_config INTERFACE)
    set(kind INTERFACE)
  endif()
  target_include_directories(${name}_config ${kind} ${room})
  target_link_libraries(${name}_config ${kind} base fmt::fmt)
  set(config ${name}_config PARENT_SCOPE)
endfunction()

# A fuzzer x_fuzz.cc replays tests/corpus/x/ as a test; with SPILLWAY_FUZZ it is a libFuzzer binary.
function(spillway_fuzzer module source)
  get_filename_component(fuzzer ${source} NAME_WE)
  string(REGEX REPLACE "_fuzz$" "" subject ${fuzzer})
  add_executable(${fuzzer} ${source})
  target_link_libraries(${fuzzer} PRIVATE ${module})
  if(SPILLWAY_FUZZ)
    target_link_options(${fuzzer} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(${fuzzer} PRIVATE ${CMAKE_SOURCE_DIR}/tests/replay_main.cc)
    add_test(NAME ${fuzzer} COMMAND ${fuzzer} ${CMAKE_SOURCE_DIR}/tests/corpus/${subject})
  endif()
endfunction()
