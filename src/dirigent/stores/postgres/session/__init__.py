"""What every statement needs: a session that mends itself, failures in words, the SQL, the schema."""
