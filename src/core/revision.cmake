# Writes TARGET from version.cpp.in, and touches it only when the revision has changed.
set(PROJECT_VERSION ${VERSION})
set(TCROPS_REVISION "unknown")
set(TCROPS_REVISION_DATE "1970-01-01")
execute_process(COMMAND git -C ${SOURCE} describe --always --abbrev=12 --dirty --match ""
  OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
if(status EQUAL 0)
  set(TCROPS_REVISION ${found})
endif()
execute_process(COMMAND git -C ${SOURCE} log -1 --format=%cs
  OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
if(status EQUAL 0)
  set(TCROPS_REVISION_DATE ${found})
endif()
configure_file(${SOURCE}/version.cpp.in ${TARGET} @ONLY)
