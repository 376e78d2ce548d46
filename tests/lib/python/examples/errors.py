import asyncio
import websockets
import json
from openai import OpenAI
import logging

logging.basicConfig(level=logging.INFO)
logger = logging.getLogger(__name__)

async def robust_cloud_chat(user_message: str, max_retries: int = 3):
    """
    Chat with robust error handling and retries.
    """
    client = OpenAI()
    
    for attempt in range(max_retries):
        try:
            # Get RAG context
            async with websockets.connect(
                'ws://localhost:8000/api/cloud-chat',
                ping_interval=20,
                ping_timeout=10
            ) as ws:
                # Wait for ready
                timeout = 30  # seconds
                ready = False
                start_time = asyncio.get_event_loop().time()
                
                while not ready:
                    if asyncio.get_event_loop().time() - start_time > timeout:
                        raise TimeoutError("Server did not become ready in time")
                    
                    message = await asyncio.wait_for(ws.recv(), timeout=5)
                    data = json.loads(message)
                    
                    if data['type'] == 'error':
                        logger.error(f"Server error: {data['message']}")
                        raise Exception(data['message'])
                    
                    if "ready" in data['message'].lower():
                        ready = True
                
                # Send request
                await ws.send(json.dumps({
                    "message": user_message,
                    "history": []
                }))
                
                # Get response
                async for message in ws:
                    data = json.loads(message)
                    
                    if data['type'] == 'result':
                        context_data = data['data']
                        break
                    elif data['type'] == 'error':
                        logger.error(f"RAG error: {data['message']}")
                        raise Exception(data['message'])
            
            # Call OpenAI
            messages = [
                {"role": "system", "content": context_data['system_prompt']},
                {"role": "system", "content": f"Context:\n{context_data['rag_context']}"},
                {"role": "user", "content": user_message}
            ]
            
            response = client.chat.completions.create(
                model="gpt-4-turbo-preview",
                messages=messages,
                timeout=30
            )
            
            return response.choices[0].message.content
        
        except (ConnectionRefusedError, TimeoutError) as e:
            logger.warning(f"Attempt {attempt + 1} failed: {e}")
            if attempt < max_retries - 1:
                await asyncio.sleep(2 ** attempt)  # Exponential backoff
            else:
                raise
        
        except Exception as e:
            logger.error(f"Unexpected error: {e}")
            raise


# Usage
async def main():
    try:
        response = await robust_cloud_chat("What photos do I have?")
        print(f"Response: {response}")
    except Exception as e:
        print(f"Failed after retries: {e}")

asyncio.run(main())
