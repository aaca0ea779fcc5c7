"""What somebody would write in an afternoon: page through restore points and count those after an instant."""
import asyncio
import json
import sys
from datetime import datetime

import aiohttp


async def main():
    url = sys.argv[1] + "/v1.0/solutions/backupRestore/restorePoints"
    after = datetime.fromisoformat(sys.argv[2])
    count = 0
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer x"}) as session:
        while url:
            async with session.get(url) as answer:
                page = json.loads(await answer.read())
            for point in page["value"]:
                if datetime.fromisoformat(point["protectionDateTime"]) > after:
                    count += 1
            url = page.get("@odata.nextLink")
    print(count)


asyncio.run(main())
