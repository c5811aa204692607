"""Why a token or a request was refused: judged by the product's own rules, and nothing is sent or changed by it."""
