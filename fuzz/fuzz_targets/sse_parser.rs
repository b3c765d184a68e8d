#![cfg_attr(fuzzing, no_main)]

longwire_fuzz::target!(sse::sse_parser);
