import java.sql.*;
import java.time.*;
import java.util.*;

/**
 * SQL over the Postgres protocol as Postgres' JDBC driver uses it, through which Metabase and most tools in Java speak:
 * {@code java -cp postgresql.jar Jdbc.java HOST:PORT USER SECRET}. Ends with 1 and a line for each difference.
 */
public class Jdbc {
    interface Ask<T> {
        T of(Connection db) throws Exception;
    }

    static final List<String> wrong = new ArrayList<>();
    static String url;
    static Properties login;

    /** What a new connection finds. */
    static <T> void same(String what, T wanted, Ask<T> ask) {
        try (Connection db = DriverManager.getConnection(url, login)) {
            T found = ask.of(db);
            if (!wanted.equals(found)) wrong.add(what + ": " + found + " and not " + wanted);
        } catch (Exception error) {
            wrong.add(what + ": " + error);
        }
    }

    static List<String> column(ResultSet rows, String name) throws SQLException {
        List<String> found = new ArrayList<>();
        while (rows.next()) found.add(rows.getString(name));
        return found;
    }

    static long count(Connection db, String query) throws SQLException {
        try (Statement statement = db.createStatement(); ResultSet rows = statement.executeQuery(query)) {
            rows.next();
            return rows.getLong(1);
        }
    }

    public static void main(String[] words) {
        url = "jdbc:postgresql://" + words[0] + "/safar";
        login = new Properties();
        login.setProperty("user", words[1]);
        login.setProperty("password", words[2]);
        login.setProperty("socketTimeout", "60");
        // What Metabase and others read when they look at a database.
        same("schemas", List.of("data", "pg_catalog"), db -> column(db.getMetaData().getSchemas(), "TABLE_SCHEM"));
        same("tables", true, db -> column(db.getMetaData().getTables(null, "data", "%", new String[] {"TABLE", "VIEW"}), "TABLE_NAME").containsAll(List.of("events", "sessions", "identity_conflicts")));
        same("columns", "event_id", db -> column(db.getMetaData().getColumns(null, "data", "events", "%"), "COLUMN_NAME").get(0));
        same("types of columns", "timestamptz", db -> column(db.getMetaData().getColumns(null, "data", "events", "occurred_at"), "TYPE_NAME").get(0));
        same("keys", List.of(), db -> column(db.getMetaData().getPrimaryKeys(null, "data", "events"), "COLUMN_NAME"));
        same("foreign keys", List.of(), db -> column(db.getMetaData().getImportedKeys(null, "data", "events"), "PKTABLE_NAME"));
        same("indexes", List.of(), db -> column(db.getMetaData().getIndexInfo(null, "data", "events", false, true), "INDEX_NAME"));
        same("types", true, db -> column(db.getMetaData().getTypeInfo(), "TYPE_NAME").containsAll(List.of("int8", "text", "timestamptz")));
        same("rights", List.of(), db -> column(db.getMetaData().getTablePrivileges(null, "data", "%"), "TABLE_NAME"));
        same("procedures", List.of(), db -> column(db.getMetaData().getProcedures(null, null, "%"), "PROCEDURE_NAME"));
        // A statement that comes again is prepared by the server after five times, and its values come in binary.
        same("prepared", 8, db -> {
            int right = 0;
            long visits = count(db, "SELECT count(*) FROM sessions WHERE channel = 'Direct'");
            String query = "SELECT session_id, started_at, engaged, page_views, channel FROM sessions WHERE channel = ? AND started_at >= ? AND started_at < ? LIMIT ?";
            try (PreparedStatement statement = db.prepareStatement(query)) {
                for (int time = 0; time < 8; time++) {
                    statement.setString(1, "Direct");
                    statement.setObject(2, OffsetDateTime.parse("2000-01-01T00:00:00Z"));
                    statement.setTimestamp(3, Timestamp.from(Instant.parse("2100-01-01T00:00:00Z")));
                    statement.setInt(4, 1_000_000);
                    try (ResultSet rows = statement.executeQuery()) {
                        long found = 0;
                        while (rows.next()) {
                            found++;
                            if (rows.getLong(1) < 0 || rows.getObject(2, OffsetDateTime.class) == null || !rows.getString(5).equals("Direct")) found = -1;
                        }
                        if (found == visits) right++;
                    }
                }
            }
            return right;
        });
        same("rows in parts", true, db -> {
            db.setAutoCommit(false);
            db.setReadOnly(true);
            long found = 0;
            try (Statement statement = db.createStatement()) {
                statement.setFetchSize(50);
                ResultSet rows = statement.executeQuery("SELECT event_id FROM events");
                while (rows.next()) found++;
            }
            return found == count(db, "SELECT count(*) FROM events");
        });
        for (int times : new int[] {1, 8}) {
            same("types of values, " + times, "7 1.5 2.25 text true 2026-03-21 2026-03-21T10:11:12.500 2026-03-21T10:11:12Z null", db -> {
                String found = "";
                String query = "SELECT 7::bigint, 1.5::float8, 2.25::numeric(10,2), 'text', true, DATE '2026-03-21', TIMESTAMP '2026-03-21 10:11:12.5', TIMESTAMPTZ '2026-03-21 10:11:12Z', NULL::text";
                try (PreparedStatement statement = db.prepareStatement(query)) {
                    for (int time = 0; time < times; time++) {
                        ResultSet row = statement.executeQuery();
                        row.next();
                        found = row.getLong(1) + " " + row.getDouble(2) + " " + row.getBigDecimal(3) + " " + row.getString(4) + " " + row.getBoolean(5) + " " + row.getDate(6) + " "
                            + row.getObject(7, LocalDateTime.class) + " " + row.getObject(8, OffsetDateTime.class) + " " + row.getString(9);
                    }
                }
                return found;
            });
        }
        same("an error in a transaction", "42703 25P02 1", db -> {
            db.setAutoCommit(false);
            String found = "";
            for (String query : List.of("SELECT colour FROM events", "SELECT 1")) {
                try {
                    count(db, query);
                } catch (SQLException error) {
                    found += error.getSQLState() + " ";
                }
            }
            db.rollback();
            return found + count(db, "SELECT 1");
        });
        same("cancelling", "57014", db -> {
            try (Statement statement = db.createStatement()) {
                statement.setQueryTimeout(1);
                statement.executeQuery("SELECT count(*) FROM generate_series(1, 100000000) AS a(x) JOIN generate_series(1, 100000000) AS b(y) ON a.x % 7 <= b.y % 9");
                return "no end";
            } catch (SQLException error) {
                return error.getSQLState();
            }
        });
        System.out.println(wrong.isEmpty() ? "JDBC gets what it asks for" : String.join("\n", wrong));
        System.exit(wrong.isEmpty() ? 0 : 1);
    }
}
