/* The report has arrived: its draft is needed no longer. */
"use strict";
draft.forget();
