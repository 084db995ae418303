# Writes TARGET from version.cpp.in, and touches it only when the revision has changed.
set(PROJECT_VERSION ${VERSION})
set(TCROPS_REVISION "unknown")
execute_process(COMMAND git -C ${SOURCE} describe --always --abbrev=12 --dirty --match ""
  OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
if(status EQUAL 0)
  set(TCROPS_REVISION ${found})
endif()
configure_file(${SOURCE}/version.cpp.in ${TARGET} @ONLY)
